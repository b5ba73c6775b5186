#include "members.h"

#include "common/table.h"

#include <stdlib.h>
#include <string.h>

struct room_members {
    char room_id[ROOM_ID_MAX + 1];
    unsigned count;
    char peers[ROOM_PEERS_MAX][PEER_ID_MAX + 1];
    UT_hash_handle hh;
};

struct members {
    struct room_members *rooms;
};

struct members *members_new(void)
{
    return calloc(1, sizeof(struct members));
}

static void drop(struct members *members, struct room_members *room)
{
    HASH_DEL(members->rooms, room);
    free(room);
}

void members_free(struct members *members)
{
    if (!members)
        return;
    struct room_members *room, *next;
    HASH_ITER(hh, members->rooms, room, next)
    {
        drop(members, room);
    }
    free(members);
}

static struct room_members *find(const struct members *members, const char *room_id)
{
    struct room_members *room;
    HASH_FIND_STR(members->rooms, room_id, room);
    return room;
}

static struct room_members *add(struct members *members, const char *room_id)
{
    struct room_members *room = calloc(1, sizeof *room);
    if (!room)
        return NULL;
    strcpy(room->room_id, room_id);
    HASH_ADD_STR(members->rooms, room_id, room);
    if (!room->hh.tbl) {
        free(room);
        return NULL;
    }
    return room;
}

enum status members_set(struct members *members, const struct msg_room *state)
{
    if (state->peer_count == 0) {
        members_remove(members, state->room_id);
        return STATUS_OK;
    }
    struct room_members *room = find(members, state->room_id);
    if (!room)
        room = add(members, state->room_id);
    if (!room)
        return STATUS_INTERNAL;
    room->count = state->peer_count;
    for (unsigned i = 0; i < state->peer_count; i++)
        strcpy(room->peers[i], state->peers[i].peer_id);
    return STATUS_OK;
}

void members_remove(struct members *members, const char *room_id)
{
    struct room_members *room = find(members, room_id);
    if (room)
        drop(members, room);
}

static bool holds(const struct room_members *room, const char *peer_id)
{
    for (unsigned i = 0; i < room->count; i++) {
        if (strcmp(room->peers[i], peer_id) == 0)
            return true;
    }
    return false;
}

bool members_has(const struct members *members, const char *room_id, const char *peer_id)
{
    const struct room_members *room = find(members, room_id);
    return room && holds(room, peer_id);
}

void members_each_room_of(const struct members *members, const char *peer_id,
                          void (*each)(void *ctx, const char *room_id), void *ctx)
{
    for (const struct room_members *room = members->rooms; room; room = room->hh.next) {
        if (holds(room, peer_id))
            each(ctx, room->room_id);
    }
}

size_t members_room_count(const struct members *members)
{
    return HASH_COUNT(members->rooms);
}
