#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void samples_add(struct samples *samples, int64_t value)
{
    if (samples->count == samples->size) {
        samples->size = samples->size ? 2 * samples->size : 1024;
        samples->values = realloc(samples->values, samples->size * sizeof *samples->values);
        if (!samples->values)
            abort();
    }
    samples->values[samples->count++] = value;
}

void samples_free(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples){0};
}

int64_t monotonic_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct stretch stretch_begin(const struct procs *procs)
{
    struct stretch begin = {.wall_ns = monotonic_ns(), .own_cpu_ns = own_cpu_ns()};
    for (unsigned i = 0; i < procs->count; i++)
        begin.cpu_ns[i] = procs_cpu_ns(procs, i);
    return begin;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The smallest value that `percent` of all do not exceed. */
static double percentile_us(const struct samples *samples, size_t percent)
{
    size_t rank = (samples->count * percent + 99) / 100;
    return (double)samples->values[rank > 0 ? rank - 1 : 0] / 1e3;
}

void stretch_print(const struct stretch *begin, const struct procs *procs, const char *work,
                   size_t count, struct samples *samples)
{
    const struct stretch end = stretch_begin(procs);
    printf("{\"work\":\"%s\",\"count\":%zu,\"seconds\":%.6f,\"generator_s\":%.6f,"
           "\"cpu_s\":[",
           work, count, (double)(end.wall_ns - begin->wall_ns) / 1e9,
           (double)(end.own_cpu_ns - begin->own_cpu_ns) / 1e9);
    for (unsigned i = 0; i < procs->count; i++)
        printf("%s%.6f", i > 0 ? "," : "", (double)(end.cpu_ns[i] - begin->cpu_ns[i]) / 1e9);
    printf("]");
    if (samples && samples->count > 0) {
        qsort(samples->values, samples->count, sizeof *samples->values, compare);
        printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"min_us\":%.1f,\"max_us\":%.1f",
               percentile_us(samples, 50), percentile_us(samples, 99), percentile_us(samples, 0),
               percentile_us(samples, 100));
    }
    printf("}\n");
    fflush(stdout);
}
