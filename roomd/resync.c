/* Rooms published again; see resync.h. */
#include "resync.h"

#include <stdlib.h>
#include <string.h>

/* Rooms in a portion. */
#define PORTION 256

static void note(void *ctx, const struct room *room)
{
    struct resync *resync = ctx;
    memcpy(resync->ids[resync->count++], room->id, sizeof(room->id));
}

bool resync_begin(struct resync *resync, const struct rooms *rooms)
{
    resync_end(resync);
    resync->ids = calloc(rooms_count(rooms).rooms + 1, sizeof(*resync->ids));
    if (resync->ids == NULL) {
        return false;
    }
    rooms_each(rooms, note, resync);
    return true;
}

bool resync_is_due(const struct resync *resync)
{
    return resync->ids != NULL;
}

bool resync_next(struct resync *resync, const struct rooms *rooms,
                 void (*each)(void *ctx, const struct room *room), void *ctx)
{
    for (unsigned n = 0; n < PORTION && resync->next < resync->count; n++) {
        struct room room;
        if (rooms_get(rooms, resync->ids[resync->next++], &room)) {
            each(ctx, &room);
        }
    }
    if (resync->next < resync->count) {
        return false;
    }
    resync_end(resync);
    return true;
}

void resync_end(struct resync *resync)
{
    free(resync->ids);
    memset(resync, 0, sizeof(*resync));
}
