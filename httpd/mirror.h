/*
 * mirror: a copy of retained topics, by id, that survives the loss of the broker.
 *
 * A broker does not say what it no longer retains. So every connection is a generation: what
 * arrives is marked with it, and once everything retained has arrived (mirror_complete) entries of
 * older generations are dropped. Until then an entry is still an entry: what was true a moment ago
 * is a better answer than none.
 */
#ifndef PARLEY_HTTPD_MIRROR_H
#define PARLEY_HTTPD_MIRROR_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct mirror_entry {
    TAILQ_ENTRY(mirror_entry) in_order; /* oldest generation first */
    uint64_t generation;
    const char *id; /* NUL-terminated */
    size_t len;     /* of `value` */
    char value[];   /* NUL-terminated; the id stands behind it */
};

TAILQ_HEAD(mirror_list, mirror_entry);

struct mirror {
    void *tree; /* of tsearch(3): balanced, so that ids chosen by strangers cannot slow it down */
    struct mirror_list entries;
    size_t count;
    uint64_t generation;
    bool complete;
    bool was_complete; /* once, by whatever connection: what there was then is here */
};

void mirror_init(struct mirror *mirror);
void mirror_clear(struct mirror *mirror);

/* A connection is up: what follows is a new generation. */
void mirror_begin(struct mirror *mirror);

/* Everything retained has arrived: forgets what this generation did not bring. */
void mirror_complete(struct mirror *mirror);

/* The connection is lost: entries stay, but what is missing may exist. */
void mirror_lose(struct mirror *mirror);

/* Sets the entry `id` to a copy of `value`. STATUS_INTERNAL when there is no memory; nothing
 * changes then. */
enum status mirror_put(struct mirror *mirror, const char *id, const char *value, size_t len);

void mirror_drop(struct mirror *mirror, const char *id);

/* The entry `id`, or NULL. It lives until the mirror changes. */
const struct mirror_entry *mirror_find(const struct mirror *mirror, const char *id);

#endif
