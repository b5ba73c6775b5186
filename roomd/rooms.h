/*
 * rooms: all rooms and their rules, still pure: no I/O, no clock, no randomness of its own.
 *
 * Events come in with the time, effects go out through `emit`, in order. A batch of events is one
 * transaction, in memory as on disk:
 *
 *     rooms_begin(); rooms_time(), rooms_create(), rooms_event() …; write what rooms_each_dirty()
 * names written:  rooms_written(); rooms_commit();    and now tell everybody not: rooms_rollback();
 * rooms_refuse(); do the same batch again, rooms_commit() without writing, tell everybody
 *
 * In the second case nobody new gets in, and what members do is kept in memory, dirty, until the
 * store works again.
 */
#ifndef PARLEY_ROOMS_H
#define PARLEY_ROOMS_H

#include "room.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rooms;

enum rooms_effect_kind {
    ROOMS_STEP,    /* `step`, an effect of room_step, about `room` */
    ROOMS_CREATED, /* to `peer_id`: the answer to `request`; `created` or found empty */
    ROOMS_REFUSED, /* to `peer_id`: the answer to `request` is `error` */
    ROOMS_CLOSED,  /* the room is gone: its retained state has to be cleared */
};

/* Everything it points to lives until `emit` returns. */
struct rooms_effect {
    enum rooms_effect_kind kind;
    const char *room_id; /* REFUSED: the one that was asked for, or "" */
    const struct room
        *room; /* STEP: as it is now; NULL for an error about a room that does not exist */
    const struct room_effect *step; /* STEP */
    const char *peer_id;            /* CREATED, REFUSED */
    const char *request;            /* CREATED, REFUSED */
    bool created;                   /* CREATED; STEP: the room has just come into being */
    enum status error;              /* REFUSED */
};

struct rooms_options {
    int64_t grace_ms;   /* how long an away member keeps its seat */
    int64_t ttl_ms;     /* how long an empty room lives (rule 8) */
    unsigned rooms_max; /* 0 = no limit, as of the next */
    unsigned peers_max; /* members of all rooms together */
    void (*generate_id)(char out[static ROOM_ID_MAX + 1]);
    /* May a room of that id be made here? NULL: any. */
    bool (*owns)(const void *owner, const char *room_id);
    const void *owner;
    void (*emit)(void *ctx, const struct rooms_effect *effect);
    void *ctx;
};

/* Never NULL. Free with rooms_free; NULL is fine there. */
struct rooms *rooms_new(const struct rooms_options *options);
void rooms_free(struct rooms *rooms);

/*
 * A room from the store, before anything else: its members are away with a full grace, an open
 * reclaim window is open for a full grace again (rule 6). `empty_since` (monotonic ms, in the past,
 * perhaps before zero) counts for a room with nobody in it.
 */
void rooms_load(struct rooms *rooms, const struct room *room, int64_t empty_since, int64_t now);

/* STATUS_OK, or what whoever would need a new seat or a new room is told from now on:
 * STATUS_UNAVAILABLE. */
void rooms_refuse(struct rooms *rooms, enum status refusal);

void rooms_begin(struct rooms *rooms);
void rooms_commit(struct rooms *rooms);
void rooms_rollback(struct rooms *rooms);

/* Rule 1. `room_id` is "" when any will do. Answers CREATED or REFUSED, STATUS_BAD_ROOM_ID for an
 * id that is not ours. In a transaction. */
void rooms_create(struct rooms *rooms, const char *peer_id, const char *request,
                  const char *room_id, int64_t now);

/* The same without making anything, with `created` false: a question that changes nothing. */
void rooms_try_create(struct rooms *rooms, const char *peer_id, const char *request,
                      const char *room_id);

/* JOIN, CUT or GONE in a room; `refusal` of the event is filled in here. In a transaction. */
void rooms_event(struct rooms *rooms, const char *room_id, const struct room_event *event,
                 int64_t now);

/* Does what is due at `now`, at most `most` deadlines of it, so that a mass of them does not make
 * one huge transaction. In a transaction. */
void rooms_time(struct rooms *rooms, int64_t now, unsigned most);

/* When rooms_time has something to do next (monotonic ms), or INT64_MAX. */
int64_t rooms_deadline(const struct rooms *rooms);

/* Rule 6: everybody is away until they show up, in all rooms; nothing is emitted: the shell tells
 * every room's state anyway. Outside a transaction: the store does not say who is present. */
void rooms_crash(struct rooms *rooms, int64_t now);

/* Calls `each` with every room. */
void rooms_each(const struct rooms *rooms, void (*each)(void *ctx, const struct room *room),
                void *ctx);

/*
 * Calls `each` with every room that the store has to hear of; `room` NULL means that `room_id` is
 * closed. `empty_since` as in rooms_load. Stops at the first answer that is not STATUS_OK and
 * returns it.
 */
enum status rooms_each_dirty(const struct rooms *rooms,
                             enum status (*each)(void *ctx, const char *room_id,
                                                 const struct room *room, int64_t empty_since),
                             void *ctx);
bool rooms_are_dirty(const struct rooms *rooms);

/* The store has all of it. */
void rooms_written(struct rooms *rooms);

/* True when there is a room of that id; `out` is filled if not NULL. */
bool rooms_get(const struct rooms *rooms, const char *room_id, struct room *out);

struct rooms_counts {
    unsigned rooms;   /* that exist */
    unsigned peers;   /* members of them, */
    unsigned present; /* and those of them who are not away */
};
struct rooms_counts rooms_count(const struct rooms *rooms);

#endif
