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

const struct mirror_entry *mirror_find(const struct mirror *mirror, const char *id)
{
    return find(mirror, id);
}

enum status mirror_put(struct mirror *mirror, const char *id, const char *value, size_t len)
{
    size_t id_size = strlen(id) + 1;
    struct mirror_entry *entry = malloc(sizeof *entry + len + 1 + id_size);
    if (!entry)
        return STATUS_INTERNAL;
    *entry = (struct mirror_entry){.generation = mirror->generation, .len = len};
    memcpy(entry->value, value, len);
    entry->value[len] = '\0';
    entry->id = memcpy(entry->value + len + 1, id, id_size);

    struct mirror_entry **node = tsearch(entry, &mirror->tree, compare);
    if (!node) {
        free(entry);
        return STATUS_INTERNAL;
    }
    if (*node != entry) {
        struct mirror_entry *old = *node;
        *node = entry;
        TAILQ_REMOVE(&mirror->entries, old, in_order);
        free(old);
    } else {
        mirror->count++;
    }
    TAILQ_INSERT_TAIL(&mirror->entries, entry, in_order);
    return STATUS_OK;
}

void mirror_drop(struct mirror *mirror, const char *id)
{
    struct mirror_entry *entry = find(mirror, id);
    if (entry)
        remove_entry(mirror, entry);
}
