/*
 * meter: how much one client may send, and how much may wait for it ([limits] in the
 * configuration).
 *
 * Pure: the clock is handed in. What is over the limit is refused, not delayed: the broker has one
 * thread for everybody. Who goes on all the same is put out.
 */
#ifndef PARLEY_METER_H
#define PARLEY_METER_H

#include "common/bucket.h"
#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Filters a minute, and at once: a page needs three at each connect. Within its inbox a client may
 * name any number of different filters, and the broker keeps each. In force while
 * client_messages_per_s is.
 */
#define METER_SUBSCRIBES_PER_MIN 60
#define METER_SUBSCRIBES_BURST   256

/* Refusals a second that are borne, and at once: who sends at ten times the default limit is put
 * out after little more than a second. */
#define METER_PATIENCE_PER_S 100
#define METER_PATIENCE_BURST 1000

/* What may wait for a kept session while it has no connection: some negotiations, and what roomd
 * has to say of them. */
#define METER_WAITING_MESSAGES 256
#define METER_WAITING_BYTES    (1024 * 1024)

/*
 * What may be sent to one connection, in bytes a second and at once: some hundred negotiations, and
 * one every few seconds for ever. The broker keeps what a client does not read, and cannot be asked
 * how much that is; who is sent more is put out, comes back, and has nothing waiting. In force
 * while client_bytes_per_s is.
 */
#define METER_INBOX_PER_S 4096
#define METER_INBOX_BURST (2 * 1024 * 1024)

struct meter_rates {
    struct bucket_rate messages;
    struct bucket_rate bytes;
    struct bucket_rate subscribes;
    struct bucket_rate connects;
    struct bucket_rate inbox;
};

/* Of one client; all zero at first. */
struct meter {
    struct bucket messages, bytes, subscribes, connects;
    struct bucket patience; /* refusals that are still borne */
    struct bucket told;     /* that it was refused: at most once a second */
    struct bucket inbox;    /* of the connection */
    unsigned waiting;
    size_t waiting_bytes;
};

/* Which limit is reached. */
enum meter_limit { METER_FINE, METER_MESSAGES, METER_BYTES, METER_SUBSCRIBES };

/* What a refusal comes to. */
enum meter_verdict {
    METER_SILENT,  /* nothing is said about it */
    METER_TELL,    /* the client hears of it */
    METER_PUT_OUT, /* it is enough */
};

struct meter_rates meter_rates(const struct config *config);

/* A publish of `bytes`, at `now` (monotonic ms). */
enum meter_limit meter_publish(struct meter *meter, const struct meter_rates *rates, size_t bytes,
                               int64_t now);

/* A filter of a SUBSCRIBE. It counts as a message too. */
enum meter_limit meter_subscribe(struct meter *meter, const struct meter_rates *rates, int64_t now);

/* Something of this client's was refused for a limit. */
enum meter_verdict meter_refuse(struct meter *meter, int64_t now);

/* May another message of `bytes` be queued for a session that has no connection? */
bool meter_queue(struct meter *meter, size_t bytes);

/* May another message of `bytes` be sent to its connection? */
bool meter_deliver(struct meter *meter, const struct meter_rates *rates, size_t bytes, int64_t now);

/* It has a new connection: nothing waits any more. */
void meter_back(struct meter *meter);

#endif
