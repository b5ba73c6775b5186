/*
 * admission: may this connection come in, and may it stay when the keys were read again?
 * (docs/protocol.md, "Tokens")
 *
 * Pure: what the client sent, the keys and the time go in, a reason comes out.
 */
#ifndef PARLEY_ADMISSION_H
#define PARLEY_ADMISSION_H

#include "clients.h"

#include "common/token.h"

#include <stdbool.h>
#include <stdint.h>

/* X(symbol, name in the log) */
#define ADMISSION_TABLE(X)                                                                         \
    X(ADMISSION_GRANTED, "granted")                                                                \
    X(ADMISSION_PROTOCOL, "protocol") /* neither MQTT 3.1.1 nor 5 */                               \
    X(ADMISSION_BAD_ID, "bad-id")     /* none, or not of the ids' form */                          \
    X(ADMISSION_NO_TOKEN, "no-token")                                                              \
    X(ADMISSION_BAD_TOKEN, "bad-token")                                                            \
    X(ADMISSION_EXPIRED, "token-expired")                                                          \
    X(ADMISSION_OTHERS_ID, "others-id") /* client id, user name and token's sub differ */          \
    X(ADMISSION_KEEPALIVE, "keepalive") /* none, or outside KEEPALIVE_MIN_S to KEEPALIVE_MAX_S */  \
    /* connects.c says these two: */                                                               \
    X(ADMISSION_TOO_MANY, "too-many-requests") /* connects of an address */                        \
    X(ADMISSION_TAKEN, "taken")                /* another roomd is at work */

enum admission {
#define ADMISSION_ENUM(symbol, name) symbol,
    ADMISSION_TABLE(ADMISSION_ENUM)
#undef ADMISSION_ENUM
        ADMISSION_COUNT
};

/* What a CONNECT says. Any text may be NULL. */
struct admission_request {
    const char *client_id;
    const char *user_name;
    const char *password;
    int keepalive;        /* seconds */
    int protocol_version; /* 3, 4 or 5, as the broker counts */
};

/*
 * Decides about a new connection; `now` is in seconds since 1970. Fills `claims` when it is
 * granted.
 */
enum admission admission_decide(const struct admission_request *request,
                                const struct keyring *keyring, int64_t now,
                                struct token_claims *claims);

/*
 * May `client`, which was let in before, stay after the keys were read again? `password` is what it
 * comes with now. An expired token puts nobody out, and its key may be gone by then; a key that
 * went earlier was taken back, and takes its tokens along, but for sessions without a connection:
 * those need only be themselves.
 */
bool admission_may_stay(const struct client *client, const char *password,
                        const struct keyring *keyring, int64_t now);

/* The name of `admission` in the log. Never NULL. */
const char *admission_name(enum admission admission);

#endif
