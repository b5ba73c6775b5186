/*
 * mirror: what exists at the broker, by id, kept through the loss of the broker.
 *
 * A broker does not say what it no longer retains. So every look at what it retains is a
 * generation: what arrives is marked with it, and once everything retained has arrived
 * (mirror_complete) ids of older generations are dropped. Until then an id is still an id: what was
 * true a moment ago is a better answer than none.
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
    const char *id; /* NUL-terminated, behind the entry */
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

/* A look begins: what follows is a new generation. */
void mirror_begin(struct mirror *mirror);

/* Everything retained has arrived: forgets what this generation did not bring. */
void mirror_complete(struct mirror *mirror);

/* The connection is lost: ids stay, but what is missing may exist. */
void mirror_lose(struct mirror *mirror);

/* `id` exists. STATUS_INTERNAL when there is no memory; nothing changes then. */
enum status mirror_put(struct mirror *mirror, const char *id);

void mirror_drop(struct mirror *mirror, const char *id);

bool mirror_has(const struct mirror *mirror, const char *id);

#endif
