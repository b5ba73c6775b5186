/*
 * stats: what roomd counts, and the text of roomd/stats.
 *
 * The retained message, published at most every STATS_EVERY_MS while something changes, is one JSON
 * object:
 *
 *     uptime_s                    seconds since roomd started
 *     rooms, peers, present       gauges: rooms that exist; members of them; and those who are not
 * away store_ok                    true while changes reach the disk messages counters since the
 * start: messages received creates, closes             rooms made; rooms ended for being empty
 *     joins                       joins received; each ended as one of
 *     joined, resumed, full_room    a new seat or page; the same page again; no room; or an error
 *     cuts, gones                 cut-the-call received; lost connections heard of
 *     lost                        members told that the other came back too late
 *     store_commits               transactions written
 *     store_failures              transactions that could not be written
 *     errors                      an object: answers `error` (room and lobby) by error id, those
 * that were ever given
 */
#ifndef PARLEY_STATS_H
#define PARLEY_STATS_H

#include "rooms.h"

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATS_EVERY_MS 5000

#define STATS_COUNTERS(X)                                                                          \
    X(messages)                                                                                    \
    X(creates)                                                                                     \
    X(closes)                                                                                      \
    X(joins)                                                                                       \
    X(joined)                                                                                      \
    X(resumed)                                                                                     \
    X(full_room)                                                                                   \
    X(cuts)                                                                                        \
    X(gones)                                                                                       \
    X(lost)                                                                                        \
    X(store_commits)                                                                               \
    X(store_failures)

/* A plain value: a transaction that is undone puts it back. */
struct stats {
#define STATS_FIELD(name) uint64_t name;
    STATS_COUNTERS(STATS_FIELD)
#undef STATS_FIELD
    uint64_t errors[STATUS_COUNT];
};

/* Writes the message into `out`; returns its length, or 0 when it did not fit (OUTBOUND_MAX always
 * fits). */
size_t stats_encode(const struct stats *stats, struct rooms_counts counts, bool store_ok,
                    int64_t uptime_s, char *out, size_t size);

#endif
