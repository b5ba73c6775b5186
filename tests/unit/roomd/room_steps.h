/*
 * room_steps: what the tests of the room's rules share: a room at hand, events in one line, effects
 * as a text to compare.
 */
#ifndef PARLEY_ROOM_STEPS_H
#define PARLEY_ROOM_STEPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "roomd/room.h"

#include <stdio.h>
#include <string.h>

#define GRACE 30000

static struct room room;
static struct room_effects effects;
static int64_t now;

static inline int start(void **state)
{
    (void)state;
    memset(&room, 0, sizeof(room));
    strcpy(room.id, "r1");
    room.rev = 1;
    now = 1000;
    return 0;
}

static inline bool step(struct room_event event)
{
    uint64_t rev = room.rev;
    bool changed = room_step(&room, &event, now, GRACE, &effects);
    assert_int_equal(changed, room.rev > rev);
    assert_true(!changed || effects.items[0].kind == EFFECT_STATE);
    for (unsigned i = 0; i < effects.count; i++) {
        assert_int_equal(effects.items[i].kind == EFFECT_STATE, changed && i == 0);
    }
    return changed;
}

static inline bool join(const char *peer, const char *session)
{
    return step((struct room_event){
        .kind = ROOM_EVENT_JOIN, .peer_id = peer, .session = session, .peer_name = "Name"});
}

static inline bool join_by_seat(const char *peer, const char *session, uint64_t rev, bool resumes)
{
    return step((struct room_event){.kind = ROOM_EVENT_JOIN,
                                    .peer_id = peer,
                                    .session = session,
                                    .peer_name = "Name",
                                    .has_seat = true,
                                    .seat_resumes = resumes,
                                    .seat_rev = rev});
}

static inline bool cut(const char *peer, const char *session)
{
    return step((struct room_event){.kind = ROOM_EVENT_CUT, .peer_id = peer, .session = session});
}

static inline bool gone(const char *peer, const char *session)
{
    return step((struct room_event){.kind = ROOM_EVENT_GONE, .peer_id = peer, .session = session});
}

static inline bool time_is(int64_t at)
{
    now = at;
    return step((struct room_event){.kind = ROOM_EVENT_TIME});
}

static inline bool crash(void)
{
    return step((struct room_event){.kind = ROOM_EVENT_CRASH});
}

/* The effects as "state; a joined s1 seat 2; b arrived a": what the assertions compare. */
static inline const char *told(void)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < effects.count; i++) {
        const struct room_effect *effect = &effects.items[i];
        char *out = text + used;
        size_t size = sizeof(text) - used;
        const char *again = effect->resumed ? " resumed" : "";
        const char *sep = i > 0 ? "; " : "";
        switch (effect->kind) {
        case EFFECT_STATE:
            used += (size_t)snprintf(out, size, "%sstate", sep);
            break;
        case EFFECT_JOINED:
            used += (size_t)snprintf(out, size, "%s%s joined %s%s seat %u", sep, effect->peer,
                                     effect->session, again, (unsigned)effect->seat_rev);
            break;
        case EFFECT_FULL_ROOM:
            used += (size_t)snprintf(out, size, "%s%s full %s", sep, effect->peer, effect->session);
            break;
        case EFFECT_USER_ARRIVED:
            used += (size_t)snprintf(out, size, "%s%s arrived %s (%s)%s", sep, effect->peer,
                                     effect->about, effect->about_name, again);
            break;
        case EFFECT_USER_AWAY:
            used += (size_t)snprintf(out, size, "%s%s away %s", sep, effect->peer, effect->about);
            break;
        case EFFECT_CUT:
            used += (size_t)snprintf(out, size, "%s%s cut %s %s", sep, effect->peer, effect->about,
                                     effect->reason);
            break;
        case EFFECT_ERROR:
            used += (size_t)snprintf(out, size, "%s%s error %s %u", sep, effect->peer,
                                     status_id(effect->error), effect->retry_s);
            break;
        }
    }
    return text;
}

/* The members as "a/s1 b/t1(away)". */
static inline const char *members(void)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < room.peer_count; i++) {
        const struct peer *peer = &room.peers[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s/%s%s", i > 0 ? " " : "",
                                 peer->id, peer->session, peer->state == PEER_AWAY ? "(away)" : "");
    }
    return text;
}

#endif
