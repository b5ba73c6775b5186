/*
 * Every decoder of messages.h on any bytes: the first byte picks the decoder, the rest is the
 * payload.
 *
 * A decoder answers with one of the statuses its header names, and a fault that is a sentence; what
 * it lets through holds to the forms of the contract; and where there is an encoder, decoding what
 * it writes gives the same again. Every text that is written passes our own scan, in a buffer of
 * any size.
 */
#include "fuzz.h"

#include "common/json_scan.h"
#include "common/messages.h"

static char text[OUTBOUND_MAX], again[OUTBOUND_MAX];

static bool is_id(const char *id)
{
    return id_is_valid(id, strlen(id));
}

static bool is_id_or_empty(const char *id)
{
    return id[0] == '\0' || is_id(id);
}

/* Trimming and checking a name a second time changes nothing. */
static bool is_name(const char *name)
{
    char clean[PEER_NAME_MAX + 1];
    return peer_name_clean(name, strlen(name), clean) == STATUS_OK && strcmp(name, clean) == 0;
}

/* The text of `len` bytes in `text` is fit to be sent. */
static struct payload written(size_t len, size_t max)
{
    PROMISE(len > 0 && len <= max && strlen(text) == len);
    PROMISE(json_scan(text, len) == JSON_FINE);
    return (struct payload){text, len};
}

/* ---- a row for each decoder ---- */

static enum status take_join(struct payload in, struct msg_fault *fault)
{
    struct msg_join join;
    enum status status = msg_decode_join(in, &join, fault);
    if (status == STATUS_OK) {
        PROMISE(is_id(join.session) && is_name(join.peer_name) && strlen(join.seat) <= SEAT_MAX);
        written(msg_encode_user_arrived("p-1", join.peer_name, false, text, sizeof text),
                EVENT_PAYLOAD_MAX);
    }
    return status;
}

static enum status take_cut(struct payload in, struct msg_fault *fault)
{
    struct msg_session cut;
    enum status status = msg_decode_cut(in, &cut, fault);
    PROMISE(status != STATUS_OK || is_id(cut.session));
    return status;
}

static enum status take_gone(struct payload in, struct msg_fault *fault)
{
    struct msg_session gone;
    enum status status = msg_decode_gone(in, &gone, fault);
    PROMISE(status != STATUS_OK || is_id_or_empty(gone.session));
    return status;
}

static enum status take_create_room(struct payload in, struct msg_fault *fault)
{
    struct msg_create_room create, copy;
    enum status status = msg_decode_create_room(in, &create, fault);
    PROMISE(is_id_or_empty(create.request)); /* filled as soon as it is known good */
    if (status == STATUS_OK) {
        PROMISE(is_id(create.request) && is_id_or_empty(create.room_id));
        struct payload out =
            written(msg_encode_create_room(&create, text, sizeof text), EVENT_PAYLOAD_MAX);
        PROMISE(msg_decode_create_room(out, &copy, fault) == STATUS_OK);
        PROMISE(strcmp(create.request, copy.request) == 0 &&
                strcmp(create.room_id, copy.room_id) == 0 && create.dry_run == copy.dry_run);
    }
    return status;
}

static enum status take_room(struct payload in, struct msg_fault *fault)
{
    struct msg_room room, copy;
    enum status status = msg_decode_room(in, &room, fault);
    if (status != STATUS_OK)
        return status;
    PROMISE(is_id(room.room_id) && room.peer_count <= ROOM_PEERS_MAX);
    for (unsigned i = 0; i < room.peer_count; i++)
        PROMISE(is_id(room.peers[i].peer_id) && is_name(room.peers[i].peer_name));
    struct payload out = written(msg_encode_room(&room, text, sizeof text), OUTBOUND_MAX);
    PROMISE(msg_decode_room(out, &copy, fault) == STATUS_OK);
    PROMISE(msg_encode_room(&copy, again, sizeof again) == out.len && strcmp(text, again) == 0);
    char seat[SEAT_MAX + 1];
    memset(seat, 's', SEAT_MAX);
    seat[SEAT_MAX] = '\0';
    written(msg_encode_joined(room.room_id, true, seat, &room, text, sizeof text), OUTBOUND_MAX);
    return status;
}

static enum status take_room_created(struct payload in, struct msg_fault *fault)
{
    struct msg_room_created made, copy;
    enum status status = msg_decode_room_created(in, &made, fault);
    if (status == STATUS_OK) {
        PROMISE(is_id(made.request) && is_id(made.room_id));
        struct payload out =
            written(msg_encode_room_created(&made, text, sizeof text), EVENT_PAYLOAD_MAX);
        PROMISE(msg_decode_room_created(out, &copy, fault) == STATUS_OK);
        PROMISE(strcmp(made.request, copy.request) == 0 &&
                strcmp(made.room_id, copy.room_id) == 0 && made.created == copy.created);
    }
    return status;
}

static enum status take_lobby_error(struct payload in, struct msg_fault *fault)
{
    struct msg_lobby_error error, copy;
    enum status status = msg_decode_lobby_error(in, &error, fault);
    if (status == STATUS_OK) {
        PROMISE(is_id_or_empty(error.request));
        PROMISE(error.error > STATUS_OK && error.error < STATUS_COUNT);
        struct payload out =
            written(msg_encode_lobby_error(error.request, error.error, status_detail(error.error),
                                           text, sizeof text),
                    EVENT_PAYLOAD_MAX);
        PROMISE(msg_decode_lobby_error(out, &copy, fault) == STATUS_OK);
        PROMISE(strcmp(error.request, copy.request) == 0 && error.error == copy.error);
    }
    return status;
}

static enum status take_device_status(struct payload in, struct msg_fault *fault)
{
    enum device_state state;
    enum status status = msg_decode_device_status(in, &state, fault);
    PROMISE((unsigned)state <= DEVICE_IN_CALL && (status == STATUS_OK || state == DEVICE_OFFLINE));
    return status;
}

static enum status take_ring_answer(struct payload in, struct msg_fault *fault)
{
    struct msg_ring_answer answer;
    enum status status = msg_decode_ring_answer(in, &answer, fault);
    PROMISE(ring_answer_name(answer.answer)[0] != '\0');
    PROMISE(status != STATUS_OK || is_id(answer.request));
    return status;
}

static enum status take_roomd_status(struct payload in, struct msg_fault *fault)
{
    struct msg_roomd_status roomd, copy;
    enum status status = msg_decode_roomd_status(in, &roomd, fault);
    if (status == STATUS_OK) {
        PROMISE((unsigned)roomd.state <= ROOMD_DRAINING && is_id(roomd.epoch));
        struct payload out =
            written(msg_encode_roomd_status(&roomd, text, sizeof text), EVENT_PAYLOAD_MAX);
        PROMISE(msg_decode_roomd_status(out, &copy, fault) == STATUS_OK);
        PROMISE(roomd.state == copy.state && strcmp(roomd.version, copy.version) == 0 &&
                strcmp(roomd.epoch, copy.epoch) == 0);
    }
    return status;
}

static enum status take_room_exists(struct payload in, struct msg_fault *fault)
{
    bool exists, copy;
    enum status status = msg_decode_room_exists(in, &exists, fault);
    if (status == STATUS_OK) {
        struct payload out =
            written(msg_encode_room_exists(exists, text, sizeof text), EVENT_PAYLOAD_MAX);
        PROMISE(msg_decode_room_exists(out, &copy, fault) == STATUS_OK && exists == copy);
    }
    return status;
}

static enum status take_http_room(struct payload in, struct msg_fault *fault)
{
    struct msg_http_room room;
    enum status status = msg_decode_http_room(in, &room, fault);
    PROMISE(status != STATUS_OK || is_id_or_empty(room.room_id));
    return status;
}

static enum status take_http_ring(struct payload in, struct msg_fault *fault)
{
    struct msg_http_ring ring, copy;
    enum status status = msg_decode_http_ring(in, &ring, fault);
    if (status == STATUS_OK) {
        PROMISE(is_id_or_empty(ring.room_id));
        PROMISE(ring.peer_name[0] == '\0' || is_name(ring.peer_name));
    }
    /* The device is rung by the same names: its message reads as a body of ours. */
    if (status == STATUS_OK && ring.room_id[0] && ring.peer_name[0]) {
        struct payload out =
            written(msg_encode_ring("q1", ring.room_id, ring.peer_name, text, sizeof text),
                    EVENT_PAYLOAD_MAX);
        PROMISE(msg_decode_http_ring(out, &copy, fault) == STATUS_OK);
        PROMISE(strcmp(ring.room_id, copy.room_id) == 0 &&
                strcmp(ring.peer_name, copy.peer_name) == 0);
    }
    return status;
}

#define MAY(status) (1u << (status))
#define PLAIN       (MAY(STATUS_OK) | MAY(STATUS_BAD_REQUEST) | MAY(STATUS_TOO_LARGE))

/* Seeds name a row by its place. */
static const struct {
    enum status (*take)(struct payload in, struct msg_fault *fault);
    unsigned may;
    size_t max; /* bytes; one more is STATUS_TOO_LARGE */
} rows[] = {
    {take_join, PLAIN | MAY(STATUS_BAD_PEER_NAME), EVENT_PAYLOAD_MAX},
    {take_cut, PLAIN, EVENT_PAYLOAD_MAX},
    {take_gone, PLAIN, EVENT_PAYLOAD_MAX},
    {take_create_room, PLAIN | MAY(STATUS_BAD_ROOM_ID), EVENT_PAYLOAD_MAX},
    {take_room, PLAIN | MAY(STATUS_BAD_PEER_NAME), OUTBOUND_MAX},
    {take_room_created, PLAIN, EVENT_PAYLOAD_MAX},
    {take_lobby_error, PLAIN, EVENT_PAYLOAD_MAX},
    {take_device_status, PLAIN, EVENT_PAYLOAD_MAX},
    {take_ring_answer, PLAIN, EVENT_PAYLOAD_MAX},
    {take_roomd_status, PLAIN, EVENT_PAYLOAD_MAX},
    {take_http_room, PLAIN | MAY(STATUS_BAD_ROOM_ID), HTTP_BODY_MAX},
    {take_http_ring, PLAIN | MAY(STATUS_BAD_ROOM_ID) | MAY(STATUS_BAD_PEER_NAME), HTTP_BODY_MAX},
    {take_room_exists, PLAIN, EVENT_PAYLOAD_MAX},
};

/* Too small a buffer is answered with 0 and never run over. */
static void encode_into_little(size_t room)
{
    char *little = malloc(room);
    PROMISE(little != NULL || room == 0);
    size_t len = msg_encode_user_arrived("p-\"1\\", "n\x01", true, little, room);
    PROMISE(len == 0 || len < room);
    PROMISE(room == 0 || strlen(little) == len);
    free(little);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned row = input_choice(&in, COUNT_OF(rows));
    struct msg_fault fault = {""};
    struct payload payload = {(const char *)in.at, in.left};
    enum status status = rows[row].take(payload, &fault);
    PROMISE((unsigned)status < STATUS_COUNT && rows[row].may & MAY(status));
    PROMISE((status == STATUS_TOO_LARGE) == (in.left > rows[row].max));
    PROMISE(memchr(fault.why, '\0', sizeof fault.why) != NULL);
    PROMISE(status == STATUS_OK || fault.why[0] != '\0');
    encode_into_little(in.left % 64);
    return 0;
}
