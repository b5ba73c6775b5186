/*
 * stats: what the gate counts, and the text of gate/stats.
 *
 * The retained message, published at most every GATE_STATS_EVERY_MS while something changes, is one
 * JSON object: the gauges connected, known (clients, kept sessions among them) and rooms (with
 * members); the counters below; and by outcome, how many connects there were.
 */
#ifndef PARLEY_GATE_STATS_H
#define PARLEY_GATE_STATS_H

#include "admission.h"

#include <stddef.h>
#include <stdint.h>

#define GATE_STATS_EVERY_MS 5000

/* X(name): counters since the broker started. */
#define GATE_COUNTERS(X)                                                                           \
    X(denied_subscribes)                                                                           \
    X(denied_deliveries)                                                                           \
    X(denied_publishes) /* those refused for a reason of their own among them */                   \
    X(not_a_member)                                                                                \
    X(too_large)                                                                                   \
    X(too_many_messages) /* over client_messages_per_s */                                          \
    X(too_many_bytes)    /* over client_bytes_per_s */                                             \
    X(too_many_subscribes)                                                                         \
    X(queue_full) /* deliveries to a session without a connection, for which enough waits */       \
    X(inbox_full) /* deliveries to a connection that was sent too much */                          \
    X(put_out)    /* clients that went on over their limit */                                      \
    X(bad_states) /* of roomd's, not understood */                                                 \
    X(gone)       /* told to roomd */

struct gate_counts {
#define GATE_COUNT_FIELD(name) uint64_t name;
    GATE_COUNTERS(GATE_COUNT_FIELD)
#undef GATE_COUNT_FIELD
    uint64_t connects[ADMISSION_COUNT];
};

struct gate_gauges {
    uint64_t connected;
    uint64_t known;
    uint64_t rooms;
};

/* Writes the message into `out`; returns its length, or 0 when it did not fit (OUTBOUND_MAX always
 * fits). */
size_t gate_stats_encode(const struct gate_counts *counts, const struct gate_gauges *gauges,
                         char *out, size_t size);

#endif
