/*
 * notices: what roomd says about itself: roomd/status and roomd/stats.
 */
#ifndef PARLEY_NOTICES_H
#define PARLEY_NOTICES_H

#include "mail.h"
#include "rooms.h"
#include "stats.h"

#include "common/limits.h"
#include "common/messages.h"

#include <stdbool.h>
#include <stdint.h>

struct notices {
    char epoch[REQUEST_ID_MAX + 1];
    int64_t started;    /* monotonic ms */
    int64_t stats_next; /* when notices_tell_stats wants to be called again, monotonic ms */
    struct {
        bool ever; /* in this epoch: the broker may have lost what was told before */
        struct stats stats;
        struct rooms_counts counts;
        bool store_ok;
    } told; /* what roomd/stats says now */
};

/* Starts with an epoch of its own. */
void notices_begin(struct notices *notices, int64_t now);

/* A new epoch, shown by the next status: peers join again when they see it. */
void notices_new_epoch(struct notices *notices);

/* The payload of roomd/status, NUL-terminated; returns its length. */
size_t notices_encode_status(const struct notices *notices, enum roomd_state state, bool publishing,
                             char out[static OUTBOUND_MAX]);

/* roomd/status into `out`; `publishing`: the states of some rooms are still to come. */
void notices_tell_status(const struct notices *notices, struct mailbox *out, enum roomd_state state,
                         bool publishing);

/* roomd/stats into `out`, unless nothing changed since the last time. */
void notices_tell_stats(struct notices *notices, struct mailbox *out, const struct stats *stats,
                        struct rooms_counts counts, bool store_ok, int64_t now);

#endif
