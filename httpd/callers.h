/*
 * callers: who asks, and how often an address may ([limits] address_… in the configuration).
 */
#ifndef PARLEY_HTTPD_CALLERS_H
#define PARLEY_HTTPD_CALLERS_H

#include "common/config.h"
#include "common/parties.h"

#include <stdbool.h>
#include <stdint.h>

enum caller_limit {
    LIMIT_NONE,
    LIMIT_CONNECTS, /* connections opened */
    LIMIT_ROOMS,    /* rooms asked for */
    LIMIT_TOKENS,   /* identities asked for */
    LIMIT_COUNT
};

/* The limit's name in the metrics. */
extern const char *const caller_limit_names[LIMIT_COUNT];

struct callers {
    struct address_nets trusted;
    struct parties *parties[LIMIT_COUNT]; /* LIMIT_NONE has none */
    uint64_t refused[LIMIT_COUNT];        /* counters */
};

/* STATUS_INTERNAL when there is no memory. Ended by callers_clear in any case. */
enum status callers_init(struct callers *callers, const struct config *config);
void callers_clear(struct callers *callers);

/*
 * A connection from `peer` is opened, at `now` (monotonic ms): false when its address has opened
 * enough of them. A trusted proxy's are not counted: they are everybody's.
 */
bool callers_connect(struct callers *callers, const struct address *peer, int64_t now);

/* A request of `client` (address_of_client) counts against `limit`. False when that is reached. */
bool callers_take(struct callers *callers, enum caller_limit limit, const struct address *client,
                  int64_t now);

#endif
