/*
 * bodies: the JSON that httpd answers with, one function for each schema docs/schemas/http-*.json.
 *
 * Each writes a NUL-terminated object into `out` and returns its length, or 0 when it did not fit.
 */
#ifndef PARLEY_HTTPD_BODIES_H
#define PARLEY_HTTPD_BODIES_H

#include "common/limits.h"
#include "common/messages.h"
#include "ice.h"

#include <stddef.h>
#include <stdint.h>

/* The longest is a peer: its token twice, and as many TURN URLs as one line of configuration holds.
 */
#define BODY_MAX 8192

/* An error, as application/problem+json (RFC 9457) with the contract's `error` and `detail`. `http`
 * is the status code. */
size_t body_error(enum status error, int http, const char *detail, char *out, size_t size);

/* `base` is what links begin with (site.h). */
size_t body_room_created(const char *room_id, const char *base, char *out, size_t size);

size_t body_ring(const char *room_id, const char *base, enum ring_answer answer, char *out,
                 size_t size);

struct body_peer {
    const char *peer_id;
    const char *token;
    int64_t expires_at;    /* of the token, seconds since 1970 */
    unsigned expires_in_s; /* of all of it, for a client whose clock is another one */
    const char *mqtt_url;
    const char *ice_urls;
    const struct turn_secret *turn_secret;
    int64_t turn_expires_at; /* seconds since 1970 */
};

size_t body_peer(const struct body_peer *peer, char *out, size_t size);

/* {"state": state}: what the probes answer. */
size_t body_state(const char *state, char *out, size_t size);

#endif
