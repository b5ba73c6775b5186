/*
 * /api/devices/{device}/ring: an operator asks a device to come to a room, which is made first when
 * none is named.
 */
#include "app.h"
#include "headers.h"

#include "common/clock.h"
#include "common/token.h"

#include <stdio.h>
#include <string.h>

static void fail(struct exchange *exchange, enum status status, const char *detail)
{
    reply_error(&exchange->reply, status, detail);
    if (exchange->is_suspended)
        exchange_finish(exchange);
}

static void on_device(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct exchange *exchange = waiter->ctx;
    char text[BODY_MAX];
    (void)now;
    if (answer->kind != ANSWER_RING) {
        fail(exchange, STATUS_UNAVAILABLE, "The device did not answer.");
        return;
    }
    size_t len =
        body_ring(exchange->ring.room_id, exchange->site.base, answer->ring, text, sizeof text);
    reply_json(&exchange->reply, 202, text, len);
    exchange_finish(exchange);
}

static void ring_device(struct exchange *exchange, struct broker *broker, int64_t now)
{
    exchange->waiter.done = on_device;
    exchange->waiter.deadline = now + DEVICE_ANSWERS_WITHIN_MS;
    enum status status = upstream_ring(broker, exchange->match.param, exchange->ring.room_id,
                                       exchange->ring.peer_name, &exchange->waiter);
    if (status != STATUS_OK)
        fail(exchange, status, NULL);
}

static void on_room(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct exchange *exchange = waiter->ctx;
    if (answer->kind != ANSWER_ROOM_CREATED) {
        fail(exchange, answer->kind == ANSWER_LOBBY_ERROR ? answer->error : STATUS_UNAVAILABLE,
             NULL);
        return;
    }
    memcpy(exchange->ring.room_id, answer->created.room_id, sizeof exchange->ring.room_id);
    ring_device(exchange, &exchange->app->upstream.brokers[waiter->broker], now);
}

/* Is it an operator who asks? Then `caller` gets the name behind `o-`, which stands for a peer name
 * that is not given. */
static enum status check_operator(const struct exchange *exchange,
                                  char caller[static PEER_ID_MAX + 1])
{
    struct token_claims claims;
    size_t len;
    const char *token = header_bearer(exchange_header(exchange, "Authorization"), &len);
    if (!token)
        return STATUS_UNAUTHORIZED;
    enum status status = token_verify(exchange->app->keyring, token, len, clock_wall_s(), &claims);
    if (status != STATUS_OK)
        return status;
    if (claims.role != ROLE_OPERATOR)
        return STATUS_UNAUTHORIZED;
    memcpy(caller, claims.peer_id + strlen("o-"), sizeof claims.peer_id - strlen("o-"));
    return STATUS_OK;
}

static enum status check_room(struct upstream *upstream, const char *room_id)
{
    const struct broker *broker = upstream_broker_of_room(upstream, room_id);
    switch (rooms_view_find(&broker->rooms, room_id, NULL)) {
    case ROOM_EXISTS:
        return STATUS_OK;
    case ROOM_MISSING:
        return STATUS_NO_SUCH_ROOM;
    case ROOM_UNKNOWN:
        break;
    }
    return STATUS_UNAVAILABLE;
}

void handle_ring(struct exchange *exchange, int64_t now)
{
    struct upstream *upstream = &exchange->app->upstream;
    struct msg_http_ring *ring = &exchange->ring;
    struct msg_fault fault = {""};
    char caller[PEER_ID_MAX + 1];
    const struct payload body = {exchange->body, exchange->body_len};

    enum status status = check_operator(exchange, caller);
    if (status == STATUS_OK)
        status = msg_decode_http_ring(body, ring, &fault);
    if (status == STATUS_OK && ring->room_id[0])
        status = check_room(upstream, ring->room_id);
    if (status != STATUS_OK) {
        fail(exchange, status, fault.why[0] ? fault.why : NULL);
        return;
    }
    struct broker *broker = upstream_broker_of_device(upstream, exchange->match.param);
    if (!broker) {
        fail(exchange, STATUS_NOT_FOUND, "There is no such device online.");
        return;
    }
    if (!ring->peer_name[0])
        snprintf(ring->peer_name, sizeof ring->peer_name, "%s", caller);
    if (ring->room_id[0]) {
        ring_device(exchange, broker, now);
        return;
    }
    exchange->waiter.done = on_room;
    exchange->waiter.deadline = now + ROOMD_ANSWERS_WITHIN_MS;
    status = upstream_ask_room(broker, "", &exchange->waiter);
    if (status != STATUS_OK)
        fail(exchange, status, NULL);
}
