/*
 * parties: a limit for each address (address.h, address_party), in bounded memory.
 *
 * Those that were not heard of for longest are forgotten first when PARTIES_MAX are known: who
 * speaks from more addresses than that has as many rights as they are, with or without us
 * remembering them.
 */
#ifndef PARLEY_PARTIES_H
#define PARLEY_PARTIES_H

#include "address.h"
#include "bucket.h"

#include <stddef.h>

/* Some 100 bytes each. */
#define PARTIES_MAX 65536

struct parties;

/* An empty table under one rate, to be freed by parties_free; NULL when there is no memory. */
struct parties *parties_new(struct bucket_rate rate);

/* NULL is fine. */
void parties_free(struct parties *parties);

/* Takes one unit of the party that `address` belongs to, at `now` (monotonic ms). False when it has
 * none left, or there is no memory. */
bool parties_take(struct parties *parties, const struct address *address, int64_t now);

/* How many are known. */
size_t parties_count(const struct parties *parties);

#endif
