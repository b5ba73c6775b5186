/*
 * /healthz, /readyz and /metrics.
 *
 * /readyz asks the roomd of every broker and waits for its answer. However many ask httpd, one
 * question is under way at a time, and a good answer counts for a second: a probe is no way to load
 * roomd. A bad one is not kept, so that nobody waits for longer than it is true.
 */
#include "app.h"
#include "server.h"

#include <stdlib.h>

#define ANSWER_COUNTS_MS 1000

static const char no_broker[] = "A broker is not connected.";
static const char no_roomd[] = "A roomd does not answer.";

static void answer_state(struct exchange *exchange, const char *state)
{
    char text[BODY_MAX];
    reply_json(&exchange->reply, 200, text, body_state(state, text, sizeof text));
}

void handle_healthz(struct exchange *exchange, int64_t now)
{
    (void)now;
    answer_state(exchange, "alive");
}

static void answer_ready(struct exchange *exchange)
{
    const char *fault = exchange->app->ready.fault;
    if (fault)
        reply_error(&exchange->reply, STATUS_UNAVAILABLE, fault);
    else
        answer_state(exchange, "ready");
}

static void conclude(struct ready *ready, int64_t now)
{
    struct exchange *exchange;
    if (!ready->fault)
        ready->fresh_until = now + ANSWER_COUNTS_MS;
    while ((exchange = TAILQ_FIRST(&ready->asking))) {
        TAILQ_REMOVE(&ready->asking, exchange, in_ready);
        answer_ready(exchange);
        exchange_finish(exchange);
    }
}

static void on_alive(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct ready *ready = waiter->ctx;
    if (answer->kind == ANSWER_NONE)
        ready->fault = no_roomd;
    if (--ready->unanswered == 0)
        conclude(ready, now);
}

/* Asks every roomd. What cannot be asked is a fault at once. */
static void ask(struct app *app, int64_t now)
{
    struct ready *ready = &app->ready;
    ready->fault = NULL;
    for (unsigned i = 0; i < app->upstream.count; i++) {
        struct broker *broker = &app->upstream.brokers[i];
        struct waiter *waiter = &ready->waiters[i];
        waiter->ctx = ready;
        waiter->done = on_alive;
        waiter->deadline = now + ROOMD_ANSWERS_WITHIN_MS;
        if (upstream_ask_alive(broker, waiter) == STATUS_OK)
            ready->unanswered++;
        else
            ready->fault = link_is_connected(broker->link) ? no_roomd : no_broker;
    }
}

/* The last answer counts for a while, unless a broker or roomd is known to have gone since. */
static bool is_fresh(const struct app *app, int64_t now)
{
    bool served = true;
    for (unsigned i = 0; i < app->upstream.count; i++)
        served = served && upstream_is_served(&app->upstream.brokers[i]);
    return served && now < app->ready.fresh_until;
}

void handle_readyz(struct exchange *exchange, int64_t now)
{
    struct ready *ready = &exchange->app->ready;
    if (ready->unanswered == 0 && !is_fresh(exchange->app, now))
        ask(exchange->app, now);
    if (ready->unanswered == 0)
        answer_ready(exchange);
    else
        TAILQ_INSERT_TAIL(&ready->asking, exchange, in_ready);
}

void handle_metrics(struct exchange *exchange, int64_t now)
{
    const struct app *app = exchange->app;
    struct metrics_now gauges = {.pending = app->pending.count,
                                 .connections = server_connections(app->server),
                                 .refused = app->callers.refused,
                                 .broker_count = app->upstream.count};
    size_t len;
    (void)now;
    for (unsigned i = 0; i < app->upstream.count; i++) {
        const struct broker *broker = &app->upstream.brokers[i];
        gauges.brokers[i] = (struct metrics_broker){
            .name = broker->config->name,
            .connected = link_is_connected(broker->link),
            .roomd_online = broker->roomd == ROOMD_ONLINE,
            .rooms = broker->rooms.count,
            .devices = broker->devices.count,
            .roomd = &broker->roomd_report,
            .gate = &broker->gate_report,
        };
    }
    char *text = metrics_text(&app->metrics, &gauges, &len);
    if (!text) {
        reply_error(&exchange->reply, STATUS_INTERNAL, NULL);
        return;
    }
    reply_text(&exchange->reply, 200, "text/plain; version=0.0.4; charset=utf-8", text, len);
    free(text);
}
