#include "procs.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

int64_t procs_resident(const struct procs *procs)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < procs->count; i++) {
        char path[64];
        long pages = 0;
        snprintf(path, sizeof path, "/proc/%d/statm", (int)procs->pids[i]);
        FILE *file = fopen(path, "re");
        if (!file || fscanf(file, "%*d %ld", &pages) != 1) {
            fprintf(stderr, "loadgen: %s cannot be read\n", path);
            exit(EXIT_FAILURE);
        }
        fclose(file);
        sum += (int64_t)pages * sysconf(_SC_PAGESIZE);
    }
    return sum;
}
