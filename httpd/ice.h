/*
 * ice: the RTCIceServer objects that a browser is given.
 *
 * TURN credentials follow the TURN REST convention (draft-uberti-behave-turn-rest-00, 2.2):
 * username `expiry:peer`, credential base64(HMAC-SHA1(secret, username)). stun: URLs carry none.
 */
#ifndef PARLEY_HTTPD_ICE_H
#define PARLEY_HTTPD_ICE_H

#include "common/ids.h"
#include "common/json_write.h"

#include <stdint.h>

#define TURN_SECRET_MAX     255
#define TURN_USERNAME_MAX   (20 + 1 + PEER_ID_MAX) /* the digits of an int64_t, `:`, the peer */
#define TURN_CREDENTIAL_MAX 28                     /* base64 of 20 bytes */

/* The shared secret; empty when there are no turn: URLs. */
struct turn_secret {
    size_t len;
    char text[TURN_SECRET_MAX + 1];
};

/*
 * Reads the secret from the file at `path`, a line break at its end taken off. STATUS_INTERNAL,
 * with a sentence in `why`, when it cannot be read, is empty, is too long, or may be read by
 * others or written by its group.
 */
enum status turn_secret_load(const char *path, struct turn_secret *out, char *why, size_t why_size);

/* Makes the credentials of `peer_id` until `expires_at`, seconds since 1970. */
void ice_credentials(const struct turn_secret *secret, int64_t expires_at, const char *peer_id,
                     char username[static TURN_USERNAME_MAX + 1],
                     char credential[static TURN_CREDENTIAL_MAX + 1]);

/* Does the blank-separated list `urls` hold a turn: or turns: URL? */
bool ice_needs_secret(const char *urls);

/* Writes the array `ice_servers` for the blank-separated list `urls`: one object for all stun:, one
 * for all turn: URLs. */
void ice_write(struct json_out *out, const char *urls, const struct turn_secret *secret,
               int64_t expires_at, const char *peer_id);

#endif
