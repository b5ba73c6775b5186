#include "parties.h"

#include "table.h"

#include <stdlib.h>

struct party {
    struct address address;
    struct bucket bucket;
    UT_hash_handle hh;
};

/* uthash keeps the order of adding: each use adds an entry anew, so the first is the one to forget.
 */
struct parties {
    struct party *table;
    struct bucket_rate rate;
};

struct parties *parties_new(struct bucket_rate rate)
{
    struct parties *parties = calloc(1, sizeof *parties);
    if (parties)
        parties->rate = rate;
    return parties;
}

void parties_free(struct parties *parties)
{
    if (!parties)
        return;
    struct party *party, *next;
    HASH_ITER(hh, parties->table, party, next)
    {
        HASH_DEL(parties->table, party);
        free(party);
    }
    free(parties);
}

/* A fresh entry; in a full table that of the party that was not heard of for longest. */
static struct party *make(struct parties *parties)
{
    struct party *oldest = parties->table;
    if (HASH_COUNT(parties->table) < PARTIES_MAX)
        return calloc(1, sizeof *oldest);
    HASH_DEL(parties->table, oldest);
    *oldest = (struct party){0};
    return oldest;
}

bool parties_take(struct parties *parties, const struct address *address, int64_t now)
{
    struct address key = address_party(address);
    struct party *party;
    if (parties->rate.units == 0)
        return true;
    HASH_FIND(hh, parties->table, &key, sizeof key, party);
    if (party)
        HASH_DEL(parties->table, party);
    else
        party = make(parties);
    if (!party)
        return false;
    party->address = key;
    HASH_ADD(hh, parties->table, address, sizeof key, party);
    if (!party->hh.tbl) {
        free(party);
        return false;
    }
    return bucket_take(&party->bucket, &parties->rate, 1, now);
}

size_t parties_count(const struct parties *parties)
{
    return HASH_COUNT(parties->table);
}
