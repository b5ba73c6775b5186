/*
 * token: JSON Web Tokens (RFC 7519) signed with HS256 (RFC 7515, 7518), by OpenSSL.
 *
 * Two kinds share one key ring and never pass for each other, since `iss` differs: an access token
 * (`iss: "parley"`), by which the broker knows who connects, and a seat (`iss: "parley-seat"`), roomd's statement that a peer
 * and session hold a seat in a room (docs/protocol.md, rule 7).
 */
#ifndef PARLEY_TOKEN_H
#define PARLEY_TOKEN_H

#include "ids.h"
#include "limits.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The key file: one key a line, `kid base64url-of-32-to-128-bytes`, `#` starts a comment. The first key signs; every key
 * verifies. To rotate: put the new key first, and remove the old line once its last token has expired.
 */
struct keyring;

/*
 * Reads the key file at `path`. On success `*out` is owned by the caller, to be freed by keyring_free.
 * STATUS_INTERNAL when the file cannot be read, is readable by others than its owner and group, holds no key, or holds a line that is no key;
 * a sentence without secrets is written to `why` (NUL-terminated, `why_size` bytes).
 */
enum status keyring_load(const char *path, struct keyring **out, char *why, size_t why_size);

/* Forgets and frees the keys, wiping them first. NULL is fine. */
void keyring_free(struct keyring *keyring);

/* A new line for a key file: a random kid and 32 random bytes. `out` receives it without a newline. */
#define KEY_LINE_MAX 127
void key_line_generate(char out[static KEY_LINE_MAX + 1]);

struct token_claims {
    char peer_id[PEER_ID_MAX + 1]; /* `sub` */
    enum role role;
    char room[ROOM_ID_MAX + 1]; /* empty but for peers */
    int64_t issued_at;          /* seconds since 1970 */
    int64_t expires_at;         /* seconds since 1970 */
};

/*
 * Signs `claims` into `out`, NUL-terminated.
 * STATUS_BAD_REQUEST when the claims do not hold together: the role is not the id's, a peer without a room or another role with one.
 */
enum status token_sign(const struct keyring *keyring, const struct token_claims *claims,
                       char out[static TOKEN_MAX + 1]);

/*
 * Verifies the `len` bytes at `text` and fills `out`; `now` is in seconds since 1970.
 * STATUS_TOKEN_EXPIRED when everything but the time is right (`out` is filled then too), else STATUS_UNAUTHORIZED:
 * another algorithm than HS256, an unknown `kid`, a wrong signature, claims that do not hold together. The signature is compared in constant time.
 */
enum status token_verify(const struct keyring *keyring, const char *text, size_t len, int64_t now,
                         struct token_claims *out);

struct seat_claims {
    char peer_id[PEER_ID_MAX + 1];
    char session[SESSION_MAX + 1];
    char room[ROOM_ID_MAX + 1];
    uint64_t rev;      /* the room's `rev` at which the seat was given */
    int64_t issued_at; /* seconds since 1970 */
};

/* Signs a seat. STATUS_BAD_REQUEST when a field is empty, or a number larger than JSON can hold. A seat has no expiry: it counts only where rule 7 lets it. */
enum status seat_sign(const struct keyring *keyring, const struct seat_claims *claims,
                      char out[static SEAT_MAX + 1]);

/* Verifies a seat and fills `out`. STATUS_UNAUTHORIZED when it does not verify. */
enum status seat_verify(const struct keyring *keyring, const char *text, size_t len,
                        struct seat_claims *out);

#endif
