#include "messages.h"

#include "json_write.h"
#include "messages_words.h"

#include <stdio.h>

/* ---- rooms ---- */

static void write_room(struct json_out *json, const char *name, const struct msg_room *room)
{
    json_open(json, name, '{');
    json_text(json, "room_id", room->room_id);
    json_count(json, "max_peers", room->max_peers);
    json_count(json, "rev", room->rev);
    json_open(json, "peers", '[');
    for (unsigned i = 0; i < room->peer_count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "peer_id", room->peers[i].peer_id);
        json_text(json, "peer_name", room->peers[i].peer_name);
        json_text(json, "state", msg_peer_states[room->peers[i].away]);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

size_t msg_encode_room(const struct msg_room *room, char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    write_room(&json, NULL, room);
    return json_finish(&json);
}

static struct json_out start_object(char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    return json;
}

static size_t finish_object(struct json_out *json)
{
    json_close(json, '}');
    return json_finish(json);
}

size_t msg_encode_joined(const char *session, bool resumed, const char *seat,
                         const struct msg_room *room, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "session", session);
    json_flag(&json, "resumed", resumed);
    json_text(&json, "seat", seat);
    write_room(&json, "room", room);
    return finish_object(&json);
}

size_t msg_encode_full_room(const char *session, unsigned max_peers, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "session", session);
    json_count(&json, "max_peers", max_peers);
    return finish_object(&json);
}

size_t msg_encode_user_arrived(const char *peer_id, const char *peer_name, bool resumed, char *out,
                               size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "peer_id", peer_id);
    json_text(&json, "peer_name", peer_name);
    json_flag(&json, "resumed", resumed);
    return finish_object(&json);
}

size_t msg_encode_user_away(const char *peer_id, unsigned grace_s, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "peer_id", peer_id);
    json_count(&json, "grace_s", grace_s);
    return finish_object(&json);
}

size_t msg_encode_cut(const char *peer_id, const char *reason, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "peer_id", peer_id);
    json_text(&json, "reason", reason);
    return finish_object(&json);
}

size_t msg_encode_gone(char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    return finish_object(&json);
}

size_t msg_encode_room_error(enum status error, const char *detail, const char *event,
                             unsigned retry_s, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "error", status_id(error));
    json_text(&json, "detail", detail);
    json_text(&json, "event", event);
    if (retry_s > 0)
        json_count(&json, "retry_s", retry_s);
    return finish_object(&json);
}

/* ---- lobby ---- */

size_t msg_encode_create_room(const struct msg_create_room *message, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "request", message->request);
    if (message->room_id[0])
        json_text(&json, "room_id", message->room_id);
    if (message->dry_run)
        json_flag(&json, "dry_run", true);
    return finish_object(&json);
}

size_t msg_encode_room_created(const struct msg_room_created *message, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    char path[sizeof "/r//" + ROOM_ID_MAX];
    snprintf(path, sizeof path, "/r/%s/", message->room_id);
    json_text(&json, "request", message->request);
    json_text(&json, "room_id", message->room_id);
    json_text(&json, "path", path);
    json_flag(&json, "created", message->created);
    return finish_object(&json);
}

size_t msg_encode_lobby_error(const char *request, enum status error, const char *detail, char *out,
                              size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "request", request);
    json_text(&json, "error", status_id(error));
    json_text(&json, "detail", detail);
    return finish_object(&json);
}

/* ---- devices and roomd ---- */

size_t msg_encode_ring(const char *request, const char *room_id, const char *peer_name, char *out,
                       size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "request", request);
    json_text(&json, "room_id", room_id);
    json_text(&json, "peer_name", peer_name);
    return finish_object(&json);
}

size_t msg_encode_roomd_status(const struct msg_roomd_status *message, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_text(&json, "state", msg_roomd_states[message->state]);
    json_text(&json, "version", message->version);
    json_text(&json, "epoch", message->epoch);
    if (message->publishing)
        json_flag(&json, "publishing", true);
    return finish_object(&json);
}

size_t msg_encode_room_exists(bool exists, char *out, size_t size)
{
    struct json_out json = start_object(out, size);
    json_flag(&json, "exists", exists);
    return finish_object(&json);
}
