/*
 * /api/rooms/{room}/peers: who you are in this room, and how to reach the broker and the media
 * relays.
 */
#include "app.h"
#include "headers.h"

#include "common/clock.h"
#include "common/token.h"

#include <stdio.h>
#include <string.h>

/*
 * Fills the peer id: that of the bearer's token, which has to be a peer's of this room and still
 * valid; or a new one when there is no bearer. `*renewed` says which.
 */
static enum status choose_peer(const struct exchange *exchange, char out[static PEER_ID_MAX + 1],
                               bool *renewed)
{
    const char *authorization = exchange_header(exchange, "Authorization");
    struct token_claims claims;
    size_t len;
    *renewed = authorization != NULL;
    if (!authorization) {
        peer_id_generate(out);
        return STATUS_OK;
    }
    const char *token = header_bearer(authorization, &len);
    if (!token)
        return STATUS_UNAUTHORIZED;
    enum status status = app_verify(exchange->app, token, len, &claims);
    if (status != STATUS_OK)
        return status;
    if (claims.role != ROLE_PEER || strcmp(claims.room, exchange->match.param) != 0)
        return STATUS_UNAUTHORIZED;
    memcpy(out, claims.peer_id, sizeof claims.peer_id);
    return STATUS_OK;
}

/*
 * May this room have (this) peer? While it is not known whether the room exists, but where, a valid
 * token of it is proof enough: the holder is in a call that goes on (docs/protocol.md, rule 5).
 * At another broker its seat would make the room a second time (rule 7).
 */
static enum status check_room(const struct room_place *place, bool renewed)
{
    switch (place->answer) {
    case ROOM_EXISTS:
        return STATUS_OK;
    case ROOM_MISSING:
        return STATUS_NO_SUCH_ROOM;
    case ROOM_UNKNOWN:
        break;
    }
    return renewed && place->broker ? STATUS_OK : STATUS_UNAVAILABLE;
}

/* For how long what is handed out is good: the token, and with it the TURN credentials. */
static unsigned life_s(const struct config *config)
{
    bool has_turn = config->turn_secret_file[0] != '\0';
    return has_turn && config->turn_ttl_s < config->token_ttl_s ? config->turn_ttl_s
                                                                : config->token_ttl_s;
}

static enum status issue(const struct exchange *exchange, const struct broker *broker,
                         const char *peer_id, int64_t wall_s, char *text, size_t size, size_t *len)
{
    const struct config *config = &exchange->app->config;
    struct token_claims claims = {
        .role = ROLE_PEER, .issued_at = wall_s, .expires_at = wall_s + config->token_ttl_s};
    char token[TOKEN_MAX + 1];
    char url[CONFIG_TEXT_MAX + HOST_MAX + 1];
    snprintf(claims.peer_id, sizeof claims.peer_id, "%s", peer_id);
    if (snprintf(claims.room, sizeof claims.room, "%s", exchange->match.param) > ROOM_ID_MAX)
        return STATUS_INTERNAL;
    enum status status = token_sign(exchange->app->keyring, &claims, token);
    if (status != STATUS_OK || !site_broker_url(&exchange->site, broker->config, url, sizeof url))
        return STATUS_INTERNAL;
    const struct body_peer peer = {
        .peer_id = peer_id,
        .token = token,
        .expires_at = claims.expires_at,
        .expires_in_s = life_s(config),
        .mqtt_url = url,
        .ice_urls = config->turn_urls,
        .turn_secret = &exchange->app->turn_secret,
        .turn_expires_at = wall_s + config->turn_ttl_s,
    };
    *len = body_peer(&peer, text, size);
    return STATUS_OK;
}

void handle_peers(struct exchange *exchange, int64_t now)
{
    struct app *app = exchange->app;
    struct room_place place = upstream_find_room(&app->upstream, exchange->match.param);
    char peer_id[PEER_ID_MAX + 1];
    char text[BODY_MAX];
    size_t len = 0;
    bool renewed;
    int64_t wall_s = clock_wall_s();

    enum status status = choose_peer(exchange, peer_id, &renewed);
    if (status == STATUS_OK)
        status = check_room(&place, renewed);
    if (status == STATUS_OK)
        status = issue(exchange, place.broker, peer_id, wall_s, text, sizeof text, &len);
    if (status != STATUS_OK) {
        reply_error(&exchange->reply, status, NULL);
        return;
    }
    *(renewed ? &app->metrics.tokens_renewed : &app->metrics.tokens_new) += 1;
    upstream_expect_peer(place.broker, now);
    reply_json(&exchange->reply, renewed ? 200 : 201, text, len);
}
