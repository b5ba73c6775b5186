#include "messages.h"

#include "fields.h"
#include "messages_words.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Words of the wire, by their enum's value. */
const char *const msg_peer_states[2] = {"present", "away"};
static const char *const device_states[] = {
    [DEVICE_OFFLINE] = "offline", [DEVICE_ONLINE] = "online", [DEVICE_IN_CALL] = "in-call"};
static const char *const ring_answers[] = {
    [RING_ACCEPTED] = "accepted", [RING_BUSY] = "busy", [RING_DECLINED] = "declined"};
const char *const msg_roomd_states[3] = {
    [ROOMD_OFFLINE] = "offline", [ROOMD_ONLINE] = "online", [ROOMD_DRAINING] = "draining"};

/* Every decoder is a reader of an open object; this is what they share. */
static enum status decode(struct payload in, size_t max, void *out, struct msg_fault *fault,
                          void (*read)(struct fields *fields, void *out))
{
    struct fields fields;
    cJSON *tree = fields_open(in, max, &fields, fault);
    if (tree)
        read(&fields, out);
    cJSON_Delete(tree);
    return fields.status;
}

/* ---- peer -> roomd ---- */

static void read_join(struct fields *fields, void *out)
{
    struct msg_join *join = out;
    field_id(fields, "session", join->session, true, STATUS_BAD_REQUEST);
    field_peer_name(fields, "peer_name", join->peer_name, true);
    /* A seat that is too long to be ours counts as none, like any that does not verify (rule 10).
     */
    const cJSON *seat = field_find(fields, "seat", false);
    if (cJSON_IsString(seat) && strlen(seat->valuestring) > SEAT_MAX)
        join->seat[0] = '\0';
    else
        field_text(fields, "seat", join->seat, SEAT_MAX, false);
}

enum status msg_decode_join(struct payload in, struct msg_join *out, struct msg_fault *fault)
{
    *out = (struct msg_join){0};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_join);
}

static void read_cut(struct fields *fields, void *out)
{
    field_id(fields, "session", ((struct msg_session *)out)->session, true, STATUS_BAD_REQUEST);
}

enum status msg_decode_cut(struct payload in, struct msg_session *out, struct msg_fault *fault)
{
    *out = (struct msg_session){0};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_cut);
}

static void read_gone(struct fields *fields, void *out)
{
    field_id(fields, "session", ((struct msg_session *)out)->session, false, STATUS_BAD_REQUEST);
}

enum status msg_decode_gone(struct payload in, struct msg_session *out, struct msg_fault *fault)
{
    *out = (struct msg_session){0};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_gone);
}

static void read_create_room(struct fields *fields, void *out)
{
    struct msg_create_room *create = out;
    field_id(fields, "request", create->request, true, STATUS_BAD_REQUEST);
    field_id(fields, "room_id", create->room_id, false, STATUS_BAD_ROOM_ID);
    field_flag(fields, "dry_run", &create->dry_run, false);
}

enum status msg_decode_create_room(struct payload in, struct msg_create_room *out,
                                   struct msg_fault *fault)
{
    *out = (struct msg_create_room){0};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_create_room);
}

/* ---- rooms ---- */

static void read_room(struct fields *fields, void *out)
{
    struct msg_room *room = out;
    uint64_t max_peers;
    field_id(fields, "room_id", room->room_id, true, STATUS_BAD_REQUEST);
    field_count(fields, "rev", &room->rev, FIELD_COUNT_MAX);
    field_count(fields, "max_peers", &max_peers, UINT32_MAX);
    room->max_peers = (unsigned)max_peers;
    const cJSON *peers = field_find(fields, "peers", true);
    const cJSON *item;
    if (peers && (!cJSON_IsArray(peers) || cJSON_GetArraySize(peers) > ROOM_PEERS_MAX)) {
        fields_refuse(fields, STATUS_BAD_REQUEST, "peers", "is not a list of at most two");
        return;
    }
    cJSON_ArrayForEach(item, peers)
    {
        struct msg_peer *peer = &room->peers[room->peer_count++];
        struct fields inner = fields_within(fields, item);
        unsigned state;
        field_id(&inner, "peer_id", peer->peer_id, true, STATUS_BAD_REQUEST);
        field_peer_name(&inner, "peer_name", peer->peer_name, true);
        field_word(&inner, "state", msg_peer_states, COUNT(msg_peer_states), &state);
        peer->away = state == 1;
        fields->status = inner.status;
    }
}

enum status msg_decode_room(struct payload in, struct msg_room *out, struct msg_fault *fault)
{
    *out = (struct msg_room){0};
    return decode(in, OUTBOUND_MAX, out, fault, read_room);
}

/* ---- lobby ---- */

static void read_room_created(struct fields *fields, void *out)
{
    struct msg_room_created *made = out;
    field_id(fields, "request", made->request, true, STATUS_BAD_REQUEST);
    field_id(fields, "room_id", made->room_id, true, STATUS_BAD_REQUEST);
    field_flag(fields, "created", &made->created, true);
}

enum status msg_decode_room_created(struct payload in, struct msg_room_created *out,
                                    struct msg_fault *fault)
{
    *out = (struct msg_room_created){0};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_room_created);
}

/* The status of a wire id; an id that this version does not know is a failure all the same. */
static enum status status_from_id(const char *id)
{
    for (enum status status = STATUS_BAD_REQUEST; status < STATUS_COUNT; status++) {
        if (strcmp(status_id(status), id) == 0)
            return status;
    }
    return STATUS_INTERNAL;
}

static void read_lobby_error(struct fields *fields, void *out)
{
    struct msg_lobby_error *error = out;
    char id[ROOM_ID_MAX + 1];
    field_text(fields, "request", error->request, REQUEST_ID_MAX, true);
    if (error->request[0] && !id_is_valid(error->request, strlen(error->request)))
        fields_refuse(fields, STATUS_BAD_REQUEST, "request", "is not an id");
    field_id(fields, "error", id, true, STATUS_BAD_REQUEST);
    error->error = status_from_id(id);
}

enum status msg_decode_lobby_error(struct payload in, struct msg_lobby_error *out,
                                   struct msg_fault *fault)
{
    *out = (struct msg_lobby_error){0};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_lobby_error);
}

/* ---- devices ---- */

static void read_device_status(struct fields *fields, void *out)
{
    char room_id[ROOM_ID_MAX + 1];
    unsigned state;
    field_word(fields, "state", device_states, COUNT(device_states), &state);
    field_id(fields, "room_id", room_id, false, STATUS_BAD_REQUEST);
    *(enum device_state *)out = fields->status == STATUS_OK ? state : DEVICE_OFFLINE;
}

enum status msg_decode_device_status(struct payload in, enum device_state *out,
                                     struct msg_fault *fault)
{
    *out = DEVICE_OFFLINE;
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_device_status);
}

static void read_ring_answer(struct fields *fields, void *out)
{
    struct msg_ring_answer *ring = out;
    unsigned answer;
    field_id(fields, "request", ring->request, true, STATUS_BAD_REQUEST);
    field_word(fields, "answer", ring_answers, COUNT(ring_answers), &answer);
    ring->answer = answer;
}

enum status msg_decode_ring_answer(struct payload in, struct msg_ring_answer *out,
                                   struct msg_fault *fault)
{
    *out = (struct msg_ring_answer){.answer = RING_DECLINED};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_ring_answer);
}

const char *ring_answer_name(enum ring_answer answer)
{
    return (unsigned)answer < COUNT(ring_answers) ? ring_answers[answer] : "";
}

/* ---- roomd ---- */

static void read_roomd_status(struct fields *fields, void *out)
{
    struct msg_roomd_status *status = out;
    unsigned state;
    field_word(fields, "state", msg_roomd_states, COUNT(msg_roomd_states), &state);
    field_text(fields, "version", status->version, sizeof status->version - 1, true);
    field_id(fields, "epoch", status->epoch, true, STATUS_BAD_REQUEST);
    field_flag(fields, "publishing", &status->publishing, false);
    status->state = state;
}

enum status msg_decode_roomd_status(struct payload in, struct msg_roomd_status *out,
                                    struct msg_fault *fault)
{
    *out = (struct msg_roomd_status){.state = ROOMD_OFFLINE};
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_roomd_status);
}

static void read_room_exists(struct fields *fields, void *out)
{
    field_flag(fields, "exists", out, true);
}

enum status msg_decode_room_exists(struct payload in, bool *out, struct msg_fault *fault)
{
    *out = false;
    return decode(in, EVENT_PAYLOAD_MAX, out, fault, read_room_exists);
}

/* ---- HTTP bodies ---- */

static struct payload body_or_empty_object(struct payload in)
{
    return in.len > 0 ? in : (struct payload){"{}", 2};
}

static void read_http_room(struct fields *fields, void *out)
{
    field_id(fields, "room_id", ((struct msg_http_room *)out)->room_id, false, STATUS_BAD_ROOM_ID);
}

enum status msg_decode_http_room(struct payload in, struct msg_http_room *out,
                                 struct msg_fault *fault)
{
    *out = (struct msg_http_room){0};
    return decode(body_or_empty_object(in), HTTP_BODY_MAX, out, fault, read_http_room);
}

static void read_http_ring(struct fields *fields, void *out)
{
    struct msg_http_ring *ring = out;
    field_id(fields, "room_id", ring->room_id, false, STATUS_BAD_ROOM_ID);
    field_peer_name(fields, "peer_name", ring->peer_name, false);
}

enum status msg_decode_http_ring(struct payload in, struct msg_http_ring *out,
                                 struct msg_fault *fault)
{
    *out = (struct msg_http_ring){0};
    return decode(body_or_empty_object(in), HTTP_BODY_MAX, out, fault, read_http_ring);
}
