/*
 * bucket: a token bucket, for every limit of the form "so many a second".
 *
 * Pure: the clock is handed in. A bucket that is all zero is full, so it needs no making.
 */
#ifndef PARLEY_BUCKET_H
#define PARLEY_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket_rate {
    unsigned units;     /* that come back in each period; 0 = no limit */
    unsigned period_ms; /* not 0 */
    unsigned burst;     /* how many there are at most */
};

struct bucket {
    uint64_t spent; /* units times period_ms that have not come back yet */
    int64_t at;     /* when that was so, monotonic ms */
};

/* `per_s` a second, and a second's worth at once, or `largest` when one thing may be larger than
 * that. 0: no limit. */
struct bucket_rate bucket_per_s(unsigned per_s, unsigned largest);

/* `per_min` a minute, and as many at once. 0: no limit. */
struct bucket_rate bucket_per_min(unsigned per_min);

/* Takes `n` units at `now` (monotonic ms), all or none. False when there are not as many. */
bool bucket_take(struct bucket *bucket, const struct bucket_rate *rate, unsigned n, int64_t now);

#endif
