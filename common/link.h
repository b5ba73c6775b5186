/*
 * link: a service's connection to one broker, libmosquitto in the caller's poll loop.
 *
 * The link owns the client, connects by the broker's Unix socket or by TCP without blocking the
 * loop longer than a local connect takes, comes back by itself after a loss (250 ms to 5 s,
 * jittered), signs a fresh service token for every connect, and keeps Nagle off. A connect that is
 * not answered is given up after 5 s by TCP, and never by a socket. While the broker refuses it, it
 * tries again steadily, once or twice a second: so it may stand by for another of its id, who is
 * in. It reads no clock: `now` is the monotonic clock in milliseconds, handed in.
 *
 * The tick. Mosquitto 2.0 serves its WebSocket listener from a 100 ms poll while the broker is
 * idle. While somebody connects or negotiates, a link sends a packet that means nothing (an
 * UNSUBSCRIBE of a filter never subscribed) every `tick_ms`, which turns the broker's loop; nobody
 * else sees it. link_keep_turning() asks for that until a time.
 */
#ifndef PARLEY_LINK_H
#define PARLEY_LINK_H

#include "config.h"
#include "messages.h"
#include "status.h"
#include "token.h"
#include "topics.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct link;

struct link_events {
    /* Connected (again). The place to subscribe and to publish what has to be there. */
    void (*connected)(void *ctx, int64_t now);
    /* The connection is lost; the link is trying again by itself. */
    void (*disconnected)(void *ctx, int64_t now);
    /* A message on a topic of the contract. `topic` and `payload` live until the call returns.
     * `retained`: it was kept by the broker. */
    void (*message)(void *ctx, const struct topic *topic, struct payload payload, bool retained,
                    int64_t now);
};

struct link_options {
    const struct config_broker *broker; /* has to outlive the link */
    const struct keyring *keyring;      /* has to outlive the link */
    const char *peer_id;                /* `s-…`: client id, user name and token's sub */
    bool keep_session; /* the broker queues for us while we are away (clean session off) */
    const struct topic *will_topic; /* NULL = no will; sent QoS 1, retained if its kind is */
    const char *will_payload;       /* NUL-terminated */
    struct link_events events;
    void *ctx;
};

/* Makes a link and starts its first connect at the next link_service. NULL when there is no memory.
 * Free with link_free. */
struct link *link_new(const struct link_options *options);

/* Says good-bye (the will is not sent) and frees. NULL is fine. */
void link_free(struct link *link);

/* From the next connect on tokens are signed with `keyring`, which has to outlive the link; the
 * connection stays as it is. */
void link_set_keyring(struct link *link, const struct keyring *keyring);

/*
 * Says what to poll: a descriptor (-1 while there is none) and the events wanted, with no
 * `revents`. To be called before every wait: by TCP, what was said since the last one goes out now,
 * in one piece. Each packet by itself would wake the broker, and on loopback that is most of what
 * it costs.
 */
struct pollfd link_prepare(struct link *link);

/* When link_service has to be called at the latest, on the monotonic clock. */
int64_t link_deadline(const struct link *link, int64_t now);

/* Does what is due: `revents` is what poll(2) said about its descriptor (0 when nothing). May call
 * every event. */
void link_service(struct link *link, short revents, int64_t now);

bool link_is_connected(const struct link *link);

/* Subscribes to filter (below parley/v1/, given without that prefix) at `qos`. STATUS_UNAVAILABLE
 * when not connected. */
enum status link_subscribe(struct link *link, const char *filter, int qos);

/*
 * Takes a subscription back. Called right after link_subscribe it leaves just the retained
 * messages, once: the broker handles both in order, and what the first has queued is delivered.
 */
enum status link_unsubscribe(struct link *link, const char *filter);

/* Publishes with the QoS and retain flag of the topic's kind. STATUS_UNAVAILABLE when not
 * connected, STATUS_BAD_REQUEST for a topic that does not format. An empty payload clears a
 * retained one. */
enum status link_publish(struct link *link, const struct topic *topic, const char *payload,
                         size_t len);

/* Keeps the broker's loop turning until `until` at least (see "The tick"). */
void link_keep_turning(struct link *link, int64_t until);

/* True when nothing written is waiting: used to say good-bye in order. */
bool link_is_drained(const struct link *link);

#endif
