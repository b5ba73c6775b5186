/*
 * status: every way a request can end, once.
 *
 * Internal functions return `enum status`; the failure ids that may travel to a client are the contract's stable
 * error ids (docs/protocol.md, "Rules", 10). Each row holds the id as it stands on the wire, the HTTP status that
 * says the same (RFC 9110) and a sentence for people.
 */
#ifndef PARLEY_STATUS_H
#define PARLEY_STATUS_H

/* X(symbol, wire id, HTTP status, sentence) */
#define STATUS_TABLE(X)                                                                            \
    X(STATUS_OK, "ok", 200, "It worked.")                                                          \
    X(STATUS_BAD_REQUEST, "bad-request", 400, "The message is not what this address expects.")     \
    X(STATUS_BAD_ROOM_ID, "bad-room-id", 400,                                                      \
      "A room id has 1 to 64 characters of A-Z a-z 0-9 - and _.")                                  \
    X(STATUS_BAD_PEER_NAME, "bad-peer-name", 400,                                                  \
      "A name has 1 to 64 characters and no control characters.")                                  \
    X(STATUS_NO_SUCH_ROOM, "no-such-room", 404, "There is no such room.")                          \
    X(STATUS_ROOM_OCCUPIED, "room-occupied", 409, "A room of that id has somebody in it.")         \
    X(STATUS_NOT_A_MEMBER, "not-a-member", 403, "Only the two members of a room may do that.")     \
    X(STATUS_TOO_LARGE, "too-large", 413, "The message is larger than is allowed.")                \
    X(STATUS_TOO_MANY_REQUESTS, "too-many-requests", 429, "Too many requests: slow down.")         \
    X(STATUS_QUOTA, "quota", 429, "This server holds as many rooms or people as it may.")          \
    X(STATUS_UNAUTHORIZED, "unauthorized", 401, "The token is missing or not valid here.")         \
    X(STATUS_TOKEN_EXPIRED, "token-expired", 401, "The token has expired.")                        \
    X(STATUS_UNAVAILABLE, "unavailable", 503, "Not possible at the moment: try again shortly.")    \
    X(STATUS_FORBIDDEN, "forbidden", 403, "That is not allowed from here.")                        \
    X(STATUS_NOT_FOUND, "not-found", 404, "There is nothing at this address.")                     \
    X(STATUS_METHOD_NOT_ALLOWED, "method-not-allowed", 405,                                        \
      "This address does not take that method.")                                                   \
    X(STATUS_UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415,                                \
      "The body has to be application/json.")                                                      \
    /* Internal only, never sent to a client. */                                                   \
    X(STATUS_INTERNAL, "internal", 500, "Something went wrong here.")

enum status {
#define STATUS_ENUM(symbol, id, http, sentence) symbol,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
        STATUS_COUNT
};

/* The stable id of `status` as it stands on the wire. Never NULL. */
const char *status_id(enum status status);

/* A sentence for people, without details of the case. Never NULL. */
const char *status_detail(enum status status);

/* The HTTP status code that says the same. */
int status_http(enum status status);

#endif
