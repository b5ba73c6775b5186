/*
 * messages: the payloads of the contract's topics, as C structures, to and from JSON.
 *
 * Every decoder scans the text first (json_scan.h), parses it with an explicit length, takes fields by their exact
 * names, checks each against its form, and ignores fields it does not know (newer clients). Nothing is written to `out` that was
 * not checked. Every encoder writes a NUL-terminated JSON object into a buffer of the caller's.
 */
#ifndef PARLEY_MESSAGES_H
#define PARLEY_MESSAGES_H

#include "ids.h"
#include "limits.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A payload as it came from the network: `len` bytes, not NUL-terminated. */
struct payload {
    const char *text;
    size_t len;
};

/* What was wrong with a payload, for `error.detail`: a short sentence that repeats nothing of the payload. */
#define MSG_WHY_MAX 127
struct msg_fault {
    char why[MSG_WHY_MAX + 1];
};

/* ---- peer -> roomd ---- */

struct msg_join {
    char session[SESSION_MAX + 1];
    char peer_name[PEER_NAME_MAX + 1]; /* trimmed */
    char seat[SEAT_MAX + 1];           /* "" when the join brings none, or one too long to be ours */
};

struct msg_session { /* cut-the-call and gone */
    char session[SESSION_MAX + 1]; /* "" when absent: allowed for `gone` only */
};

struct msg_create_room {
    char request[REQUEST_ID_MAX + 1];
    char room_id[ROOM_ID_MAX + 1]; /* "" when any will do */
    bool dry_run; /* answer as if, and make nothing: what /readyz asks */
};

/* STATUS_OK, STATUS_BAD_REQUEST, STATUS_BAD_PEER_NAME, STATUS_TOO_LARGE. */
enum status msg_decode_join(struct payload in, struct msg_join *out, struct msg_fault *fault);

/* STATUS_OK, STATUS_BAD_REQUEST, STATUS_TOO_LARGE. */
enum status msg_decode_cut(struct payload in, struct msg_session *out, struct msg_fault *fault);
enum status msg_decode_gone(struct payload in, struct msg_session *out, struct msg_fault *fault);

/* STATUS_OK, STATUS_BAD_REQUEST, STATUS_BAD_ROOM_ID, STATUS_TOO_LARGE. `request` is filled as soon as it is known good. */
enum status msg_decode_create_room(struct payload in, struct msg_create_room *out,
                                   struct msg_fault *fault);

/* ---- rooms ---- */

struct msg_peer {
    char peer_id[PEER_ID_MAX + 1];
    char peer_name[PEER_NAME_MAX + 1];
    bool away;
};

struct msg_room { /* the contract's Room */
    char room_id[ROOM_ID_MAX + 1];
    uint64_t rev;
    unsigned max_peers;
    unsigned peer_count;
    struct msg_peer peers[ROOM_PEERS_MAX];
};

enum status msg_decode_room(struct payload in, struct msg_room *out, struct msg_fault *fault);

/* The encoders return the text's length, or 0 when it did not fit `size` bytes (a defect of ours: OUTBOUND_MAX always fits). */
size_t msg_encode_room(const struct msg_room *room, char *out, size_t size);
size_t msg_encode_joined(const char *session, bool resumed, const char *seat,
                         const struct msg_room *room, char *out, size_t size);
size_t msg_encode_full_room(const char *session, unsigned max_peers, char *out, size_t size);
size_t msg_encode_user_arrived(const char *peer_id, const char *peer_name, bool resumed, char *out,
                               size_t size);
size_t msg_encode_user_away(const char *peer_id, unsigned grace_s, char *out, size_t size);
size_t msg_encode_cut(const char *peer_id, const char *reason, char *out, size_t size);
/* `gone` as the gate says it: {} */
size_t msg_encode_gone(char *out, size_t size);
/* A room error; `retry_s` 0 leaves the field out. */
size_t msg_encode_room_error(enum status error, const char *detail, const char *event,
                             unsigned retry_s, char *out, size_t size);

/* ---- lobby ---- */

struct msg_room_created {
    char request[REQUEST_ID_MAX + 1];
    char room_id[ROOM_ID_MAX + 1];
    bool created;
};

struct msg_lobby_error {
    char request[REQUEST_ID_MAX + 1];
    enum status error;
};

size_t msg_encode_create_room(const struct msg_create_room *message, char *out, size_t size);
size_t msg_encode_room_created(const struct msg_room_created *message, char *out, size_t size);
/* `request` may be "" when it was not readable. */
size_t msg_encode_lobby_error(const char *request, enum status error, const char *detail, char *out,
                              size_t size);
enum status msg_decode_room_created(struct payload in, struct msg_room_created *out,
                                    struct msg_fault *fault);
enum status msg_decode_lobby_error(struct payload in, struct msg_lobby_error *out,
                                   struct msg_fault *fault);

/* ---- devices ---- */

enum device_state { DEVICE_OFFLINE, DEVICE_ONLINE, DEVICE_IN_CALL };
enum ring_answer { RING_ACCEPTED, RING_BUSY, RING_DECLINED };

struct msg_ring_answer {
    char request[REQUEST_ID_MAX + 1];
    enum ring_answer answer;
};

enum status msg_decode_device_status(struct payload in, enum device_state *out,
                                     struct msg_fault *fault);
size_t msg_encode_ring(const char *request, const char *room_id, const char *peer_name, char *out,
                       size_t size);
enum status msg_decode_ring_answer(struct payload in, struct msg_ring_answer *out,
                                   struct msg_fault *fault);
const char *ring_answer_name(enum ring_answer answer);

/* ---- roomd ---- */

enum roomd_state { ROOMD_OFFLINE, ROOMD_ONLINE, ROOMD_DRAINING };

struct msg_roomd_status {
    enum roomd_state state;
    char version[32];
    char epoch[REQUEST_ID_MAX + 1];
    bool publishing; /* not every room's state is published yet in this epoch */
};

size_t msg_encode_roomd_status(const struct msg_roomd_status *message, char *out, size_t size);
enum status msg_decode_roomd_status(struct payload in, struct msg_roomd_status *out,
                                    struct msg_fault *fault);

/* Whether the room that the topic names has come into being, or has ended. */
size_t msg_encode_room_exists(bool exists, char *out, size_t size);
enum status msg_decode_room_exists(struct payload in, bool *out, struct msg_fault *fault);

/* ---- HTTP bodies ---- */

struct msg_http_room { /* POST /api/rooms */
    char room_id[ROOM_ID_MAX + 1]; /* "" when any will do */
};

struct msg_http_ring { /* POST /api/devices/{device}/ring */
    char room_id[ROOM_ID_MAX + 1];     /* "" when a new room will do */
    char peer_name[PEER_NAME_MAX + 1]; /* "" when absent */
};

/* An empty body counts as {}. STATUS_OK, STATUS_BAD_REQUEST, STATUS_BAD_ROOM_ID, STATUS_BAD_PEER_NAME, STATUS_TOO_LARGE. */
enum status msg_decode_http_room(struct payload in, struct msg_http_room *out,
                                 struct msg_fault *fault);
enum status msg_decode_http_ring(struct payload in, struct msg_http_ring *out,
                                 struct msg_fault *fault);

#endif
