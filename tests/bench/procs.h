/*
 * procs: what the server's processes have used.
 */
#ifndef PARLEY_BENCH_PROCS_H
#define PARLEY_BENCH_PROCS_H

#include "common/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCS_MAX (2 * BROKERS_MAX + 1) /* every broker and its roomd, and httpd */

struct procs {
    unsigned count;
    pid_t pids[PROCS_MAX];
};

/* Reads "12,34,56"; false when it is no such list. */
bool procs_parse(const char *text, struct procs *out);

/* CPU time, ns: of the one at `index`, with all its threads. Ends the process when it is gone:
 * figures without it are none. */
int64_t procs_cpu_ns(const struct procs *procs, unsigned index);

/* CPU time of this process, ns. */
int64_t own_cpu_ns(void);

#endif
