/*
 * rooms_view: which rooms one broker's roomd says there are, from `rooms/+/state`.
 */
#ifndef PARLEY_HTTPD_ROOMS_VIEW_H
#define PARLEY_HTTPD_ROOMS_VIEW_H

#include "common/messages.h"
#include "mirror.h"

/*
 * Takes in one state of `room_id`, the topic's room; an empty payload says that the room is gone.
 * STATUS_BAD_REQUEST when the payload is no Room, or another's: nothing changes then.
 */
enum status rooms_view_take(struct mirror *rooms, const char *room_id, struct payload payload);

enum rooms_answer { ROOM_EXISTS, ROOM_MISSING, ROOM_UNKNOWN };

/*
 * Is there a room `room_id`? ROOM_UNKNOWN while what is retained has not arrived. With ROOM_EXISTS
 * `*entry` (if not NULL) is the mirror's entry, whose value is the Room as JSON.
 */
enum rooms_answer rooms_view_find(const struct mirror *rooms, const char *room_id,
                                  const struct mirror_entry **entry);

#endif
