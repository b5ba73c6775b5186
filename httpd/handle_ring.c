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

/* `broker`: where the room is. */
static void ring_device(struct exchange *exchange, struct broker *broker, int64_t now)
{
    const char *device_id = exchange->match.param;
    if (!upstream_has_device(broker, device_id)) {
        fail(exchange, STATUS_NOT_FOUND, "There is no such device online.");
        return;
    }
    exchange->waiter.done = on_device;
    exchange->waiter.deadline = now + DEVICE_ANSWERS_WITHIN_MS;
    enum status status = upstream_ring(broker, device_id, exchange->ring.room_id,
                                       exchange->ring.peer_name, &exchange->waiter);
    if (status != STATUS_OK)
        fail(exchange, status, NULL);
}

static void on_room(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct exchange *exchange = waiter->ctx;
    if (answer->kind == ANSWER_ROOM_CREATED)
        memcpy(exchange->ring.room_id, answer->created.room_id, sizeof exchange->ring.room_id);
    /* Whoever is in the room that was named is who waits for the device. */
    if (answer->kind == ANSWER_ROOM_CREATED ||
        (answer->kind == ANSWER_LOBBY_ERROR && answer->error == STATUS_ROOM_OCCUPIED))
        ring_device(exchange, &exchange->app->upstream.brokers[waiter->broker], now);
    else
        fail(exchange, answer->kind == ANSWER_LOBBY_ERROR ? answer->error : STATUS_UNAVAILABLE,
             NULL);
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
    enum status status = app_verify(exchange->app, token, len, &claims);
    if (status != STATUS_OK)
        return status;
    if (claims.role != ROLE_OPERATOR)
        return STATUS_UNAUTHORIZED;
    memcpy(caller, claims.peer_id + strlen("o-"), sizeof claims.peer_id - strlen("o-"));
    return STATUS_OK;
}

/*
 * Finds the broker of this ring, where the device is and the room is or is to be: a device has no
 * way to a room at another one.
 */
static enum status find_broker(struct exchange *exchange, struct broker **broker,
                               const char **detail)
{
    struct upstream *upstream = &exchange->app->upstream;
    const char *device_id = exchange->match.param;
    *broker = upstream_broker_of_device(upstream, device_id);
    if (!*broker) {
        *detail = "There is no such device online.";
        return STATUS_NOT_FOUND;
    }
    if (exchange->ring.room_id[0])
        *broker = upstream_find_room(upstream, exchange->ring.room_id).broker;
    if (!*broker)
        return STATUS_UNAVAILABLE;
    if (!upstream_has_device(*broker, device_id)) {
        *detail = "A room of that id belongs to another broker than the device's.";
        return STATUS_BAD_ROOM_ID;
    }
    return STATUS_OK;
}

void handle_ring(struct exchange *exchange, int64_t now)
{
    struct msg_http_ring *ring = &exchange->ring;
    struct msg_fault fault = {""};
    const char *detail = NULL;
    char caller[PEER_ID_MAX + 1];
    struct broker *broker = NULL;
    const struct payload body = {exchange->body, exchange->body_len};

    enum status status = check_operator(exchange, caller);
    if (status == STATUS_OK)
        status = msg_decode_http_ring(body, ring, &fault);
    if (status == STATUS_OK)
        status = find_broker(exchange, &broker, &detail);
    if (status != STATUS_OK) {
        fail(exchange, status, fault.why[0] ? fault.why : detail);
        return;
    }
    if (!ring->peer_name[0])
        snprintf(ring->peer_name, sizeof ring->peer_name, "%s", caller);
    if (ring->room_id[0] && rooms_view_find(&broker->rooms, ring->room_id) == ROOM_EXISTS) {
        ring_device(exchange, broker, now);
        return;
    }
    exchange->waiter.done = on_room;
    exchange->waiter.deadline = now + ROOMD_ANSWERS_WITHIN_MS;
    status = upstream_ask_room(broker, ring->room_id, &exchange->waiter);
    if (status != STATUS_OK)
        fail(exchange, status, NULL);
}
