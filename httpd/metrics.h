/*
 * metrics: what httpd counts, and its text for Prometheus (exposition format 0.0.4).
 */
#ifndef PARLEY_HTTPD_METRICS_H
#define PARLEY_HTTPD_METRICS_H

#include "callers.h"
#include "report.h"
#include "router.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_STATUS_MAX 599

/* Counters: they only grow. */
struct metrics {
    uint64_t requests[ROUTE_COUNT][METRICS_STATUS_MAX + 1]; /* by route and HTTP status */
    uint64_t tokens_new;
    uint64_t tokens_renewed;
    uint64_t connections_cut; /* ended for being too slow */
};

struct metrics_broker {
    const char *name;
    bool connected;
    bool roomd_online;
    size_t rooms;
    size_t devices;
    const struct report *roomd, *gate; /* what they say themselves */
};

/* Gauges: what is true at the moment of asking. */
struct metrics_now {
    size_t pending;
    size_t connections;
    unsigned broker_count;
    const uint64_t *refused; /* by enum caller_limit */
    struct metrics_broker brokers[BROKERS_MAX];
};

void metrics_count_request(struct metrics *metrics, enum route_id route, int status);

/* The whole text, NUL-terminated, in memory of the caller's to free; NULL when there is none left.
 * `*len` gets its length. */
char *metrics_text(const struct metrics *metrics, const struct metrics_now *now, size_t *len);

#endif
