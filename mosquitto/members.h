/*
 * members: which peers are members of which room, as roomd's own Room states tell it.
 *
 * A pure table without I/O. It starts empty, also after a restart of the broker: then nobody is a
 * member until roomd, which publishes every room again, says so (docs/protocol.md, rule 6).
 */
#ifndef PARLEY_MEMBERS_H
#define PARLEY_MEMBERS_H

#include "common/messages.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

struct members;

/* An empty table, to be freed by members_free; NULL when there is no memory. */
struct members *members_new(void);

/* NULL is fine. */
void members_free(struct members *members);

/*
 * Takes `room` as what is true now: its peers, present or away, are the members, and nobody else. A
 * room without peers takes no memory. STATUS_INTERNAL when there is no memory: the room then has no
 * members at all, so that nothing is allowed by mistake.
 */
enum status members_set(struct members *members, const struct msg_room *room);

/* The room called `room_id` is gone. Nothing happens when it was not known. */
void members_remove(struct members *members, const char *room_id);

bool members_has(const struct members *members, const char *room_id, const char *peer_id);

/* Calls `each` with every room that `peer_id` is a member of. Walks all rooms: for devices, which
 * may be in any. */
void members_each_room_of(const struct members *members, const char *peer_id,
                          void (*each)(void *ctx, const char *room_id), void *ctx);

/* How many rooms have members. */
size_t members_room_count(const struct members *members);

#endif
