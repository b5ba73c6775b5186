#include "procs.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

bool procs_parse(const char *text, struct procs *out)
{
    out->count = 0;
    while (*text) {
        char *end;
        long pid = strtol(text, &end, 10);
        if (end == text || pid <= 0 || (*end && *end != ',') || out->count == PROCS_MAX)
            return false;
        out->pids[out->count++] = (pid_t)pid;
        text = *end ? end + 1 : end;
    }
    return true;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) {
        perror("loadgen: CPU time");
        exit(EXIT_FAILURE);
    }
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t procs_cpu_ns(const struct procs *procs, unsigned index)
{
    clockid_t clock;
    if (clock_getcpuclockid(procs->pids[index], &clock) != 0) {
        fprintf(stderr, "loadgen: there is no process %d\n", (int)procs->pids[index]);
        exit(EXIT_FAILURE);
    }
    return read_clock(clock);
}

int64_t own_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
