#include "bodies.h"

#include "common/config.h"
#include "common/json_write.h"

#include <stdio.h>

size_t body_error(enum status error, int http, const char *detail, char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    json_text(&json, "type", "about:blank");
    json_text(&json, "title", status_detail(error));
    json_count(&json, "status", (uint64_t)http);
    json_text(&json, "error", status_id(error));
    json_text(&json, "detail", detail);
    json_close(&json, '}');
    return json_finish(&json);
}

static void write_url(struct json_out *json, const char *base, const char *room_id)
{
    char url[CONFIG_TEXT_MAX + ROOM_ID_MAX + 8];
    snprintf(url, sizeof url, "%s/r/%s/", base, room_id);
    json_text(json, "url", url);
}

size_t body_room_created(const char *room_id, const char *base, char *out, size_t size)
{
    char path[ROOM_ID_MAX + 8];
    struct json_out json = json_start(out, size);
    snprintf(path, sizeof path, "/r/%s/", room_id);
    json_open(&json, NULL, '{');
    json_text(&json, "room_id", room_id);
    write_url(&json, base, room_id);
    json_text(&json, "path", path);
    json_count(&json, "max_peers", ROOM_PEERS_MAX);
    json_close(&json, '}');
    return json_finish(&json);
}

size_t body_ring(const char *room_id, const char *base, enum ring_answer answer, char *out,
                 size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    json_text(&json, "room_id", room_id);
    write_url(&json, base, room_id);
    json_text(&json, "answer", ring_answer_name(answer));
    json_close(&json, '}');
    return json_finish(&json);
}

size_t body_peer(const struct body_peer *peer, char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    json_text(&json, "peer_id", peer->peer_id);
    json_text(&json, "token", peer->token);
    json_count(&json, "expires_at", (uint64_t)peer->expires_at);
    json_count(&json, "expires_in", peer->expires_in_s);
    json_open(&json, "mqtt", '{');
    json_text(&json, "url", peer->mqtt_url);
    json_text(&json, "client_id", peer->peer_id);
    json_text(&json, "username", peer->peer_id);
    json_text(&json, "password", peer->token);
    json_count(&json, "keepalive", KEEPALIVE_DEFAULT_S);
    json_close(&json, '}');
    ice_write(&json, peer->ice_urls, peer->turn_secret, peer->turn_expires_at, peer->peer_id);
    json_close(&json, '}');
    return json_finish(&json);
}

size_t body_state(const char *state, char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    json_text(&json, "state", state);
    json_close(&json, '}');
    return json_finish(&json);
}
