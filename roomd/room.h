/*
 * room: the rules of one room, as a pure state machine.
 *
 *     room_step(room, event, now) -> (room', effects)
 *
 * A Room (id, max users, peers) and its Peers (name, id, connection state and session) are plain
 * values without pointers, so a test copies, compares and searches them exhaustively. No clock is
 * read, nothing is sent or stored: effects say what the shell has to do, in order. The rules are
 * those of docs/protocol.md; their numbers stand beside the code.
 */
#ifndef PARLEY_ROOM_H
#define PARLEY_ROOM_H

#include "common/ids.h"
#include "common/limits.h"
#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

enum peer_state { PEER_PRESENT, PEER_AWAY };

struct peer {
    char id[PEER_ID_MAX + 1];
    char name[PEER_NAME_MAX + 1];
    char session[SESSION_MAX + 1];
    enum peer_state state;
    int64_t away_until; /* monotonic ms: when the seat is free, while PEER_AWAY; else 0 */
    uint64_t seat_rev;  /* the rev that its newest seat is known to name: what rule 7 compares */
};

struct room {
    char id[ROOM_ID_MAX + 1];
    uint64_t rev;
    unsigned peer_count;
    struct peer peers[ROOM_PEERS_MAX];
    /* Rule 7: brought back by a seat; until then (monotonic ms) only seat holders get in. 0 = an
     * ordinary room. */
    int64_t reclaim_until;
};

enum room_event_kind {
    ROOM_EVENT_JOIN,
    ROOM_EVENT_CUT,   /* cut-the-call */
    ROOM_EVENT_GONE,  /* the connection was lost */
    ROOM_EVENT_TIME,  /* a deadline may have passed */
    ROOM_EVENT_CRASH, /* roomd or the broker came back: everybody is away until they show up (rule
                         6) */
};

struct room_event {
    enum room_event_kind kind;
    const char *peer_id;   /* JOIN, CUT, GONE */
    const char *session;   /* JOIN, CUT; for GONE "" when the sender does not know it */
    const char *peer_name; /* JOIN */
    /* JOIN: a verified seat of this peer in this room was shown. */
    bool has_seat;
    /* JOIN, has_seat: it names this very session; a reload shows the seat of the session before. */
    bool seat_resumes;
    uint64_t seat_rev; /* JOIN, has_seat */
    /*
     * JOIN: STATUS_OK, or what one who is no member yet is told instead of being let in:
     * STATUS_UNAVAILABLE (the store cannot write, roomd drains), STATUS_QUOTA. Members come back
     * all the same.
     */
    enum status refusal;
};

enum room_effect_kind {
    EFFECT_STATE,        /* publish the room's new state; always before the replies it explains */
    EFFECT_JOINED,       /* to `peer` */
    EFFECT_FULL_ROOM,    /* to `peer` */
    EFFECT_USER_ARRIVED, /* to `peer`, about `about` */
    EFFECT_USER_AWAY,    /* to `peer`, about `about` */
    EFFECT_CUT,          /* to `peer`, about `about`, with `reason` */
    EFFECT_ERROR,        /* to `peer`: `error` */
};

/* Reasons of a cut-the-call. */
#define CUT_HUNG_UP     "hung-up"
#define CUT_LOST        "lost"
#define CUT_KICKED      "kicked"
#define CUT_ROOM_CLOSED "room-closed"

/* What one who is refused for the moment is told to wait, seconds: the store is tried again every
 * second. */
#define ROOM_RETRY_S 2

struct room_effect {
    enum room_effect_kind kind;
    char peer[PEER_ID_MAX + 1];
    char session[SESSION_MAX + 1]; /* JOINED, FULL_ROOM: the one that asked */
    char about[PEER_ID_MAX + 1];
    char about_name[PEER_NAME_MAX + 1]; /* USER_ARRIVED */
    bool resumed;                       /* JOINED, USER_ARRIVED */
    uint64_t seat_rev;                  /* JOINED: the rev the seat is to name */
    const char *reason;                 /* CUT: one of the constants above */
    enum status error;                  /* ERROR */
    unsigned retry_s;                   /* ERROR: 0 = none */
};

/* One event causes at most four: a state, a reply, a notice to the other, and one to somebody who
 * is put out. */
#define ROOM_EFFECTS_MAX 4

struct room_effects {
    unsigned count;
    struct room_effect items[ROOM_EFFECTS_MAX];
};

/*
 * Applies `event` to `room` in place at `now` (monotonic ms) and fills `effects`. `grace_ms` is how
 * long an away member keeps its seat. Returns true when the room changed: its `rev` grew (by one,
 * but for rule 7, where it passes the seat's), and the first effect is EFFECT_STATE. An event that
 * a rule tells to ignore changes nothing and has no effects. Only the end of the reclaim window is
 * no change that anybody sees: ROOM_EVENT_TIME then sets `reclaim_until` to 0 and returns false.
 *
 * Every join is answered by exactly one of JOINED, FULL_ROOM and ERROR.
 */
bool room_step(struct room *room, const struct room_event *event, int64_t now, int64_t grace_ms,
               struct room_effects *effects);

/* The earliest time (monotonic ms) at which ROOM_EVENT_TIME can change something, or INT64_MAX. */
int64_t room_deadline(const struct room *room);

/* The member called `peer_id`, or NULL. */
const struct peer *room_find_peer(const struct room *room, const char *peer_id);

#endif
