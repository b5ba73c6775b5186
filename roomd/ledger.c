/* The rooms in memory; see ledger.h. */
#include "ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* What a room was before the transaction first touched it. */
struct ledger_undo {
    struct ledger_undo *next;
    struct ledger_room *entry;
    bool existed;
    bool was_dirty;
    int64_t empty_since;
    struct room before;
};

/* Without memory there is nothing sensible to go on with: the store has what was promised, and a
 * restart brings it back. */
static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void ledger_init(struct ledger *ledger, int64_t ttl_ms)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->ttl_ms = ttl_ms;
}

struct ledger_room *ledger_find(const struct ledger *ledger, const char *id)
{
    struct ledger_room *entry;
    HASH_FIND_STR(ledger->by_id, id, entry);
    return entry != NULL && entry->exists ? entry : NULL;
}

void ledger_read(const struct ledger_room *entry, struct room *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->id, entry->id, sizeof(out->id));
    out->rev = entry->rev;
    out->reclaim_until = entry->reclaim_until;
    out->peer_count = entry->peer_count;
    if (entry->peer_count > 0) {
        memcpy(out->peers, entry->peers, entry->peer_count * sizeof(*entry->peers));
    }
}

/* Adds (+1) or takes (-1) what the entry counts for. */
static void count(struct ledger *ledger, const struct ledger_room *entry, int sign)
{
    if (!entry->exists) {
        return;
    }
    ledger->rooms += (unsigned)sign;
    ledger->peers += (unsigned)sign * entry->peer_count;
    for (unsigned i = 0; i < entry->peer_count; i++) {
        ledger->present += entry->peers[i].state == PEER_PRESENT ? (unsigned)sign : 0;
    }
}

/* The times at which something may happen in the room; returns how many. */
static size_t wanted_steps(const struct ledger_room *entry, int64_t at[static LEDGER_STEPS])
{
    size_t wanted = 0;
    if (!entry->exists) {
        return 0;
    }
    for (unsigned i = 0; i < entry->peer_count; i++) {
        if (entry->peers[i].state == PEER_AWAY) {
            at[wanted++] = entry->peers[i].away_until;
        }
    }
    if (entry->reclaim_until != 0) {
        at[wanted++] = entry->reclaim_until;
    }
    return wanted;
}

/* Queues the entry's deadlines anew. Those that still hold stay where they are: only what is new
 * goes to a queue's end. */
static void schedule(struct ledger *ledger, struct ledger_room *entry)
{
    int64_t at[LEDGER_STEPS];
    size_t wanted = wanted_steps(entry, at);
    for (size_t i = 0; i < LEDGER_STEPS; i++) {
        struct deadline *step = &entry->steps[i];
        size_t same = 0;
        while (same < wanted && !(step->queued && at[same] == step->at)) {
            same++;
        }
        if (same < wanted) {
            at[same] = at[--wanted];
        } else {
            deadline_remove(&ledger->steps, step);
        }
    }
    for (size_t i = 0; wanted > 0; i++) {
        if (!entry->steps[i].queued) {
            deadline_add(&ledger->steps, &entry->steps[i], entry, at[--wanted]);
        }
    }

    int64_t end = entry->empty_since + ledger->ttl_ms;
    bool ends = entry->exists && entry->peer_count == 0;
    if (entry->end.queued && !(ends && entry->end.at == end)) {
        deadline_remove(&ledger->ends, &entry->end);
    }
    if (ends && !entry->end.queued) {
        deadline_add(&ledger->ends, &entry->end, entry, end);
    }
}

static void set_dirty(struct ledger *ledger, struct ledger_room *entry, bool dirty)
{
    if (dirty && !entry->dirty) {
        DL_APPEND(ledger->dirty, entry);
    } else if (!dirty && entry->dirty) {
        DL_DELETE(ledger->dirty, entry);
    }
    entry->dirty = dirty;
}

/* Before a change: once a transaction, what the room is. */
static void note(struct ledger *ledger, struct ledger_room *entry)
{
    if (!ledger->open) {
        return;
    }
    if (!entry->noted) {
        struct ledger_undo *undo = allocate(sizeof(*undo));
        undo->entry = entry;
        undo->existed = entry->exists;
        undo->was_dirty = entry->dirty;
        undo->empty_since = entry->empty_since;
        ledger_read(entry, &undo->before);
        LL_PREPEND(ledger->undo, undo);
        entry->noted = true;
    }
    set_dirty(ledger, entry, true);
}

/* Makes the entry what `room` says, with its counts and deadlines. */
static void apply(struct ledger *ledger, struct ledger_room *entry, bool exists,
                  const struct room *room, int64_t empty_since)
{
    count(ledger, entry, -1);
    if (entry->peer_count != room->peer_count) {
        free(entry->peers);
        entry->peers =
            room->peer_count > 0 ? allocate(room->peer_count * sizeof(*entry->peers)) : NULL;
    }
    if (room->peer_count > 0) {
        memcpy(entry->peers, room->peers, room->peer_count * sizeof(*entry->peers));
    }
    entry->exists = exists;
    entry->rev = room->rev;
    entry->reclaim_until = room->reclaim_until;
    entry->peer_count = room->peer_count;
    entry->empty_since = empty_since;
    count(ledger, entry, +1);
    schedule(ledger, entry);
}

static void forget(struct ledger *ledger, struct ledger_room *entry)
{
    HASH_DEL(ledger->by_id, entry);
    free(entry->peers);
    free(entry);
}

struct ledger_room *ledger_put(struct ledger *ledger, const struct room *room, int64_t empty_since)
{
    struct ledger_room *entry;
    HASH_FIND_STR(ledger->by_id, room->id, entry);
    if (entry == NULL) {
        entry = allocate(sizeof(*entry));
        memcpy(entry->id, room->id, sizeof(entry->id));
        HASH_ADD_STR(ledger->by_id, id, entry);
    }
    note(ledger, entry);
    apply(ledger, entry, true, room, empty_since);
    return entry;
}

void ledger_remove(struct ledger *ledger, struct ledger_room *entry)
{
    struct room nothing = {0};
    note(ledger, entry);
    apply(ledger, entry, false, &nothing, 0);
}

void ledger_begin(struct ledger *ledger)
{
    assert(!ledger->open);
    ledger->open = true;
}

void ledger_commit(struct ledger *ledger)
{
    struct ledger_undo *undo, *next;
    LL_FOREACH_SAFE(ledger->undo, undo, next)
    {
        undo->entry->noted = false;
        if (!undo->entry->exists && !undo->entry->dirty) {
            forget(ledger, undo->entry);
        }
        free(undo);
    }
    ledger->undo = NULL;
    ledger->open = false;
}

void ledger_rollback(struct ledger *ledger)
{
    struct ledger_undo *undo, *next;
    ledger->open = false;
    LL_FOREACH_SAFE(ledger->undo, undo, next)
    {
        struct ledger_room *entry = undo->entry;
        entry->noted = false;
        apply(ledger, entry, undo->existed, &undo->before, undo->empty_since);
        set_dirty(ledger, entry, undo->was_dirty);
        if (!entry->exists && !entry->dirty) {
            forget(ledger, entry);
        }
        free(undo);
    }
    ledger->undo = NULL;
}

void ledger_written(struct ledger *ledger)
{
    struct ledger_room *entry, *next;
    DL_FOREACH_SAFE(ledger->dirty, entry, next)
    {
        set_dirty(ledger, entry, false);
        /* A closed room of this very transaction is still in its undo log, and goes with the
         * commit. */
        if (!entry->exists && !entry->noted) {
            forget(ledger, entry);
        }
    }
}

void ledger_clear(struct ledger *ledger)
{
    ledger_commit(ledger);
    struct ledger_room *entry, *next;
    HASH_ITER(hh, ledger->by_id, entry, next)
    {
        forget(ledger, entry);
    }
    memset(ledger, 0, sizeof(*ledger));
}
