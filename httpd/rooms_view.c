#include "rooms_view.h"

#include <string.h>

static enum status forget(struct mirror *rooms, const char *room_id)
{
    mirror_drop(rooms, room_id);
    return STATUS_NO_SUCH_ROOM;
}

enum status rooms_view_take_state(struct mirror *rooms, const char *room_id, struct payload payload,
                                  struct msg_room *out)
{
    struct msg_fault fault;
    if (payload.len == 0)
        return forget(rooms, room_id);
    if (msg_decode_room(payload, out, &fault) != STATUS_OK || strcmp(out->room_id, room_id) != 0)
        return STATUS_BAD_REQUEST;
    return mirror_put(rooms, room_id);
}

enum status rooms_view_take_exists(struct mirror *rooms, const char *room_id,
                                   struct payload payload)
{
    struct msg_fault fault;
    bool exists;
    enum status status = msg_decode_room_exists(payload, &exists, &fault);
    if (status != STATUS_OK)
        return status;
    return exists ? mirror_put(rooms, room_id) : forget(rooms, room_id);
}

enum rooms_answer rooms_view_find(const struct mirror *rooms, const char *room_id)
{
    if (mirror_has(rooms, room_id))
        return ROOM_EXISTS;
    return rooms->complete || !id_is_valid(room_id, strlen(room_id)) ? ROOM_MISSING : ROOM_UNKNOWN;
}
