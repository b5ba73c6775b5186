/*
 * ids: the form of every identifier of the contract's table "Names", and the making of new ones.
 *
 * Room ids, peer ids, sessions and request ids share one alphabet, A-Z a-z 0-9 - and _, so none can hold a topic
 * separator or wildcard (MQTT 5.0, 4.7). A peer id's prefix names its role.
 */
#ifndef PARLEY_IDS_H
#define PARLEY_IDS_H

#include "limits.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>

enum role { ROLE_NONE, ROLE_PEER, ROLE_DEVICE, ROLE_SERVICE, ROLE_OPERATOR };

/* True when the `len` bytes at `text` are 1 to 64 characters of the ids' alphabet. */
bool id_is_valid(const char *text, size_t len);

/* The role that a peer id's prefix names (`p-`, `d-`, `s-`, `o-`), or ROLE_NONE when it is no valid peer id. */
enum role peer_id_role(const char *text, size_t len);

/* The role's name in a token ("peer", …), and back; ROLE_NONE is "none", and what an unknown name gives. */
const char *role_name(enum role role);
enum role role_from_name(const char *name);

/*
 * Trims `len` bytes of white space at both ends and copies the rest to `out`, NUL-terminated.
 * STATUS_BAD_PEER_NAME when what is left is not 1 to 64 code points of valid UTF-8 (RFC 3629) without control
 * characters (C0, DEL, C1), line and paragraph separators, or bidirectional embeddings, overrides and isolates
 * (U+202A to 202E, 2066 to 2069). White space is what JavaScript's String.prototype.trim takes off.
 */
enum status peer_name_clean(const char *text, size_t len, char out[static PEER_NAME_MAX + 1]);

/* A new room id: 60 random bits in Crockford's base32, `xxxx-xxxx-xxxx`. Ends the process when randomness fails. */
void room_id_generate(char out[static ROOM_ID_MAX + 1]);

/* A new person's peer id: `p-` and 128 random bits in lower-case base32. Ends the process when randomness fails. */
void peer_id_generate(char out[static PEER_ID_MAX + 1]);

/* A random id of 128 bits for requests, sessions and epochs. Ends the process when randomness fails. */
void random_id_generate(char out[static REQUEST_ID_MAX + 1]);

/* Fills `size` bytes from the kernel's generator. Ends the process when that fails: nothing guessable is ever made. */
void random_bytes(void *out, size_t size);

#endif
