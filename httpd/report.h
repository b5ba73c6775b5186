/*
 * report: the statistics that roomd and the gate publish, as httpd shows them to Prometheus.
 *
 * Their messages are flat objects of numbers and flags; a member that is an object itself has
 * numbers by some word (docs/schemas: roomd-stats, gate-stats). What has another form is left out,
 * so a newer roomd or gate can say more.
 */
#ifndef PARLEY_HTTPD_REPORT_H
#define PARLEY_HTTPD_REPORT_H

#include "common/messages.h"

#include <stdio.h>

#define REPORT_VALUES_MAX 64
#define REPORT_NAME_MAX   39

struct report {
    unsigned count;
    struct report_value {
        char name[REPORT_NAME_MAX + 1];
        char word[REPORT_NAME_MAX + 1]; /* "" for a number of its own */
        uint64_t number;
    } values[REPORT_VALUES_MAX];
};

/* The reports of one part ("roomd", "gate") at each broker, by its name. */
struct report_row {
    const char *broker;
    const struct report *report;
};

/* Takes the newest message in place of the one before. STATUS_BAD_REQUEST, and nothing changes,
 * when it is no JSON object. */
enum status report_take(struct report *report, struct payload payload);

/* Writes all families `parley_PART_NAME`, each once with the values of all rows (Prometheus
 * exposition format 0.0.4). */
void report_write(FILE *out, const char *part, const struct report_row *rows, unsigned count);

#endif
