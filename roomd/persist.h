/*
 * persist: the rooms in memory and the store, each told of the other.
 *
 * The rooms know monotonic time only and the store wall-clock time only; here one becomes the
 * other.
 */
#ifndef PARLEY_PERSIST_H
#define PARLEY_PERSIST_H

#include "rooms.h"
#include "store.h"

#include <stdint.h>

/*
 * Loads every room of `store` into `rooms`. `now` is monotonic ms, `wall_s` seconds since 1970. A
 * wall clock that was set back makes no room younger than new, and one that was set forward none
 * older than `ttl_s`. STATUS_UNAVAILABLE when the store cannot be read.
 */
enum status persist_load(struct rooms *rooms, struct store *store, int64_t now, int64_t wall_s,
                         int64_t ttl_s);

/*
 * Writes every dirty room in one transaction; then none is dirty. STATUS_UNAVAILABLE, and a
 * warning, when the store cannot write now: nothing is written then, and all stay dirty.
 * STATUS_FORBIDDEN in the same way when another has claimed the store.
 */
enum status persist_write(struct rooms *rooms, struct store *store, int64_t now, int64_t wall_s);

#endif
