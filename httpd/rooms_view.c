#include "rooms_view.h"

#include <string.h>

enum status rooms_view_take(struct mirror *rooms, const char *room_id, struct payload payload)
{
    struct msg_room room;
    struct msg_fault fault;
    char text[OUTBOUND_MAX];
    if (payload.len == 0) {
        mirror_drop(rooms, room_id);
        return STATUS_OK;
    }
    if (msg_decode_room(payload, &room, &fault) != STATUS_OK || strcmp(room.room_id, room_id) != 0)
        return STATUS_BAD_REQUEST;
    /* Kept as we would write it: what is served is the contract's Room and nothing else. */
    size_t len = msg_encode_room(&room, text, sizeof text);
    return len == 0 ? STATUS_INTERNAL : mirror_put(rooms, room_id, text, len);
}

enum rooms_answer rooms_view_find(const struct mirror *rooms, const char *room_id,
                                  const struct mirror_entry **entry)
{
    const struct mirror_entry *found = mirror_find(rooms, room_id);
    if (entry)
        *entry = found;
    if (found)
        return ROOM_EXISTS;
    return rooms->complete || !id_is_valid(room_id, strlen(room_id)) ? ROOM_MISSING : ROOM_UNKNOWN;
}
