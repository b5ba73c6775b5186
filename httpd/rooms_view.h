/*
 * rooms_view: which rooms there are at one broker, by what its roomd says.
 */
#ifndef PARLEY_HTTPD_ROOMS_VIEW_H
#define PARLEY_HTTPD_ROOMS_VIEW_H

#include "common/messages.h"
#include "mirror.h"

/*
 * Takes in a state of `room_id`, the topic's room, and fills `out`; an empty payload says that the
 * room is gone: STATUS_NO_SUCH_ROOM. STATUS_BAD_REQUEST when the payload is no Room, or
 * another's: nothing changes then.
 */
enum status rooms_view_take_state(struct mirror *rooms, const char *room_id, struct payload payload,
                                  struct msg_room *out);

/* Takes in that `room_id` has come into being, or (STATUS_NO_SUCH_ROOM) has ended.
 * STATUS_BAD_REQUEST and the like when the payload says neither. */
enum status rooms_view_take_exists(struct mirror *rooms, const char *room_id,
                                   struct payload payload);

enum rooms_answer { ROOM_EXISTS, ROOM_MISSING, ROOM_UNKNOWN };

/* Is there a room `room_id`? ROOM_UNKNOWN while not everything that is retained has arrived. */
enum rooms_answer rooms_view_find(const struct mirror *rooms, const char *room_id);

#endif
