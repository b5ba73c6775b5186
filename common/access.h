/*
 * access: who may do what at the broker, as one pure table (docs/protocol.md, "Tokens").
 *
 * The gate asks it for every subscribe, publish and delivery. Everything that no row allows is denied.
 */
#ifndef PARLEY_ACCESS_H
#define PARLEY_ACCESS_H

#include "ids.h"
#include "topics.h"

#include <stdbool.h>

enum access_op { ACCESS_SUBSCRIBE, ACCESS_READ, ACCESS_WRITE };

enum access_answer {
    ACCESS_DENIED,
    ACCESS_ALLOWED,
    /* The table would allow it if both ends were members of the room: worth an `error not-a-member` to the sender. */
    ACCESS_NOT_A_MEMBER,
};

/* Who asks: what a verified token says. */
struct access_who {
    enum role role;
    const char *peer_id; /* NUL-terminated, the token's `sub` */
    const char *room;    /* the token's room; "" for the roles that have none */
};

/* Is a service of this id a roomd? Its id decides what a service may do. */
bool access_is_roomd(const char *peer_id);

/* Answers whether `peer_id` is a member of `room` now; `ctx` is the caller's. */
typedef bool (*access_is_member)(void *ctx, const char *room, const char *peer_id);

/*
 * May `who` do `op` on `name`? `name` is a topic for READ and WRITE, a topic filter for SUBSCRIBE, NUL-terminated,
 * as the client sent it. `retain` is the publish's retain flag (false for the other operations).
 * `is_member` is asked only where the table needs it.
 */
enum access_answer access_decide(const struct access_who *who, enum access_op op, const char *name,
                                 bool retain, access_is_member is_member, void *ctx);

#endif
