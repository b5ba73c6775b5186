/*
 * report: what is measured, and how it is printed: a line of JSON for each thing that was done.
 */
#ifndef PARLEY_BENCH_REPORT_H
#define PARLEY_BENCH_REPORT_H

#include "procs.h"

#include <stddef.h>

/* Times, ns, one by one. All zero is an empty one. */
struct samples {
    int64_t *values;
    size_t count, size;
};

void samples_add(struct samples *samples, int64_t value);
void samples_free(struct samples *samples);

/* A stretch of work: from stretch_begin to stretch_print. */
struct stretch {
    int64_t wall_ns, own_cpu_ns;
    int64_t cpu_ns[PROCS_MAX];
};

int64_t monotonic_ns(void);

struct stretch stretch_begin(const struct procs *procs);

/*
 * Prints what happened since: {"work", "count", "seconds", "generator_s", "cpu_s": [one a process],
 * and with samples "p50_us", "p99_us", "min_us", "max_us"}. Sorts the
 * samples.
 */
void stretch_print(const struct stretch *begin, const struct procs *procs, const char *work,
                   size_t count, struct samples *samples);

#endif
