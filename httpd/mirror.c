#include "mirror.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct mirror_entry *)a)->id, ((const struct mirror_entry *)b)->id);
}

void mirror_init(struct mirror *mirror)
{
    *mirror = (struct mirror){0};
    TAILQ_INIT(&mirror->entries);
}

static void remove_entry(struct mirror *mirror, struct mirror_entry *entry)
{
    tdelete(entry, &mirror->tree, compare);
    TAILQ_REMOVE(&mirror->entries, entry, in_order);
    mirror->count--;
    free(entry);
}

void mirror_clear(struct mirror *mirror)
{
    struct mirror_entry *entry;
    while ((entry = TAILQ_FIRST(&mirror->entries)))
        remove_entry(mirror, entry);
}

void mirror_begin(struct mirror *mirror)
{
    mirror->generation++;
    mirror->complete = false;
}

void mirror_lose(struct mirror *mirror)
{
    mirror->complete = false;
}

void mirror_complete(struct mirror *mirror)
{
    struct mirror_entry *entry;
    while ((entry = TAILQ_FIRST(&mirror->entries)) && entry->generation < mirror->generation)
        remove_entry(mirror, entry);
    mirror->complete = mirror->was_complete = true;
}

static struct mirror_entry *find(const struct mirror *mirror, const char *id)
{
    struct mirror_entry key = {.id = id};
    struct mirror_entry *const *node = tfind(&key, &mirror->tree, compare);
    return node ? *node : NULL;
}

bool mirror_has(const struct mirror *mirror, const char *id)
{
    return find(mirror, id) != NULL;
}

static struct mirror_entry *add(struct mirror *mirror, const char *id)
{
    size_t size = strlen(id) + 1;
    struct mirror_entry *entry = malloc(sizeof *entry + size);
    if (!entry)
        return NULL;
    entry->id = memcpy(entry + 1, id, size);
    if (!tsearch(entry, &mirror->tree, compare)) {
        free(entry);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&mirror->entries, entry, in_order);
    mirror->count++;
    return entry;
}

enum status mirror_put(struct mirror *mirror, const char *id)
{
    struct mirror_entry *entry = find(mirror, id);
    if (!entry)
        entry = add(mirror, id);
    if (!entry)
        return STATUS_INTERNAL;
    entry->generation = mirror->generation;
    TAILQ_REMOVE(&mirror->entries, entry, in_order);
    TAILQ_INSERT_TAIL(&mirror->entries, entry, in_order);
    return STATUS_OK;
}

void mirror_drop(struct mirror *mirror, const char *id)
{
    struct mirror_entry *entry = find(mirror, id);
    if (entry)
        remove_entry(mirror, entry);
}
