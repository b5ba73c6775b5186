/*
 * resync: the rooms that are to be published again after a connect (docs/protocol.md, rule 6), in
 * portions: with tens of thousands of them at once the broker would hear no sign of life from us for
 * as long as it takes.
 */
#ifndef PARLEY_RESYNC_H
#define PARLEY_RESYNC_H

#include "rooms.h"

#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing to do. */
struct resync {
    char (*ids)[ROOM_ID_MAX + 1]; /* NULL: nothing to do */
    size_t count, next;
};

/* Notes every room of `rooms`, in place of what was noted before. False when there is no memory. */
bool resync_begin(struct resync *resync, const struct rooms *rooms);

bool resync_is_due(const struct resync *resync);

/*
 * Calls `each` with the next portion of those rooms that there still are, as they are now. True when
 * it was the last: then nothing is due any more. Only when something is.
 */
bool resync_next(struct resync *resync, const struct rooms *rooms,
                 void (*each)(void *ctx, const struct room *room), void *ctx);

/* Forgets what was noted. */
void resync_end(struct resync *resync);

#endif
