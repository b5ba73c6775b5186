/*
 * /api/rooms: rooms are made by roomd; what is in one of them the broker says.
 */
#include "app.h"

#include <stdio.h>

static void on_room(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct exchange *exchange = waiter->ctx;
    struct reply *reply = &exchange->reply;
    char text[BODY_MAX];
    (void)now;
    if (answer->kind == ANSWER_ROOM_CREATED) {
        const char *room_id = answer->created.room_id;
        size_t len = body_room_created(room_id, exchange->site.base, text, sizeof text);
        reply_json(reply, answer->created.created ? 201 : 200, text, len);
        snprintf(reply->location, sizeof reply->location, "/api/rooms/%s", room_id);
    } else {
        reply_error(reply, answer->kind == ANSWER_LOBBY_ERROR ? answer->error : STATUS_UNAVAILABLE,
                    NULL);
    }
    exchange_finish(exchange);
}

void handle_rooms(struct exchange *exchange, int64_t now)
{
    struct upstream *upstream = &exchange->app->upstream;
    struct msg_http_room wanted;
    struct msg_fault fault;
    const struct payload body = {exchange->body, exchange->body_len};
    enum status status = msg_decode_http_room(body, &wanted, &fault);
    if (status != STATUS_OK) {
        reply_error(&exchange->reply, status, fault.why);
        return;
    }
    struct broker *broker = wanted.room_id[0] ? upstream_find_room(upstream, wanted.room_id).broker
                                              : upstream_any_broker(upstream);
    exchange->waiter.done = on_room;
    exchange->waiter.deadline = now + ROOMD_ANSWERS_WITHIN_MS;
    status =
        broker ? upstream_ask_room(broker, wanted.room_id, &exchange->waiter) : STATUS_UNAVAILABLE;
    if (status != STATUS_OK)
        reply_error(&exchange->reply, status, NULL);
}

static void on_state(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct exchange *exchange = waiter->ctx;
    struct reply *reply = &exchange->reply;
    char text[OUTBOUND_MAX];
    (void)now;
    if (answer->kind == ANSWER_ROOM)
        /* As we write it: what is served is the contract's Room and nothing else. */
        reply_json(reply, 200, text, msg_encode_room(answer->room, text, sizeof text));
    else
        reply_error(
            reply, answer->kind == ANSWER_NO_ROOM ? STATUS_NO_SUCH_ROOM : STATUS_UNAVAILABLE, NULL);
    exchange_finish(exchange);
}

void handle_room(struct exchange *exchange, int64_t now)
{
    const char *room_id = exchange->match.param;
    struct room_place place = upstream_find_room(&exchange->app->upstream, room_id);
    enum status status = STATUS_UNAVAILABLE;
    switch (place.answer) {
    case ROOM_EXISTS:
        exchange->waiter.done = on_state;
        exchange->waiter.deadline = now + ROOMD_ANSWERS_WITHIN_MS;
        status = upstream_ask_state(place.broker, room_id, &exchange->waiter);
        break;
    case ROOM_MISSING:
        status = STATUS_NO_SUCH_ROOM;
        break;
    case ROOM_UNKNOWN:
        break;
    }
    if (status != STATUS_OK)
        reply_error(&exchange->reply, status, NULL);
}
