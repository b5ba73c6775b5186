/* The rules of one room; see room.h. Rule numbers are those of docs/protocol.md. */
#include "room.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Copies an id or a name. All were checked when they were decoded, so one that does not fit is a
 * defect of ours. */
static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size) {
        abort();
    }
    memcpy(out, text, len + 1);
}

#define COPY(out, text) copy_text((out), sizeof(out), (text))

/* A new effect at the end of the list. Only its kind is set, and each emitter fills what its kind
 * promises: the list is far too large to clear at every event. */
static struct room_effect *add_effect(struct room_effects *effects, enum room_effect_kind kind,
                                      const char *peer)
{
    if (effects->count == ROOM_EFFECTS_MAX) {
        abort();
    }
    struct room_effect *effect = &effects->items[effects->count++];
    effect->kind = kind;
    COPY(effect->peer, peer);
    return effect;
}

const struct peer *room_find_peer(const struct room *room, const char *peer_id)
{
    for (unsigned i = 0; i < room->peer_count; i++) {
        if (strcmp(room->peers[i].id, peer_id) == 0) {
            return &room->peers[i];
        }
    }
    return NULL;
}

/* The same for one who may change it: the room is its own. */
static struct peer *find(struct room *room, const char *peer_id)
{
    return (struct peer *)room_find_peer(room, peer_id);
}

/* The member that is not `peer`, or NULL. */
static const struct peer *other_than(const struct room *room, const struct peer *peer)
{
    for (unsigned i = 0; i < room->peer_count; i++) {
        if (&room->peers[i] != peer) {
            return &room->peers[i];
        }
    }
    return NULL;
}

/* The room changed: the new state is told first (rule 2), so that the gate knows the members before
 * they act. */
static void changed(struct room *room, struct room_effects *effects)
{
    room->rev++;
    add_effect(effects, EFFECT_STATE, "");
}

/* A room that came back goes on behind every rev that was ever told, as far as the seats that are
 * shown know it (rule 7). True when it had to be raised for this. */
static bool raise_rev(struct room *room, const struct room_event *event)
{
    if (!event->has_seat || event->seat_rev <= room->rev) {
        return false;
    }
    room->rev = event->seat_rev;
    return true;
}

static void tell_joined(const struct room *room, const struct peer *peer, bool resumed,
                        struct room_effects *effects)
{
    struct room_effect *effect = add_effect(effects, EFFECT_JOINED, peer->id);
    COPY(effect->session, peer->session);
    effect->resumed = resumed;
    /* Whoever is a member at this rev outranks all who left before it (rule 7), so every reply
     * renews the seat. */
    effect->seat_rev = room->rev;
}

static void tell_arrived(const struct room *room, const struct peer *peer, bool resumed,
                         struct room_effects *effects)
{
    const struct peer *other = other_than(room, peer);
    if (other == NULL) {
        return;
    }
    struct room_effect *effect = add_effect(effects, EFFECT_USER_ARRIVED, other->id);
    COPY(effect->about, peer->id);
    COPY(effect->about_name, peer->name);
    effect->resumed = resumed;
}

static void tell_cut(const char *to, const char *about, const char *reason,
                     struct room_effects *effects)
{
    struct room_effect *effect = add_effect(effects, EFFECT_CUT, to);
    COPY(effect->about, about);
    effect->reason = reason;
}

static void tell_full(const struct room_event *event, struct room_effects *effects)
{
    struct room_effect *effect = add_effect(effects, EFFECT_FULL_ROOM, event->peer_id);
    COPY(effect->session, event->session);
}

static void tell_error(const struct room_event *event, enum status error, unsigned retry_s,
                       struct room_effects *effects)
{
    struct room_effect *effect = add_effect(effects, EFFECT_ERROR, event->peer_id);
    effect->error = error;
    effect->retry_s = retry_s;
}

static void go_away(struct peer *peer, int64_t until)
{
    peer->state = PEER_AWAY;
    peer->away_until = until;
}

static void show_up(struct peer *peer)
{
    peer->state = PEER_PRESENT;
    peer->away_until = 0;
}

/* Frees a seat; the members keep their order. What is left behind is cleared, so that equal rooms
 * are equal bytes. */
static void remove_peer(struct room *room, struct peer *peer)
{
    size_t index = (size_t)(peer - room->peers);
    room->peer_count--;
    memmove(peer, peer + 1, (room->peer_count - index) * sizeof(*peer));
    memset(&room->peers[room->peer_count], 0, sizeof(*peer));
}

/* A join of the session that holds the seat: a duplicate delivery, or a connection that is back
 * (rules 2 and 4). */
static bool join_again(struct room *room, struct peer *member, const struct room_event *event,
                       struct room_effects *effects)
{
    bool was_away = member->state == PEER_AWAY;
    bool is_change = raise_rev(room, event) || was_away;
    if (was_away) {
        show_up(member);
        COPY(member->name, event->peer_name);
    }
    if (is_change) {
        changed(room, effects);
        member->seat_rev = room->rev;
    }
    tell_joined(room, member, true, effects);
    if (was_away) {
        tell_arrived(room, member, true, effects);
    }
    return is_change;
}

/*
 * A join of a member under another session: a reload. The seat goes over at once, away or not (rule
 * 2). That an old page's join may come again after the new one's (a broker that was cut off repeats
 * the last messages, in their order) needs no memory: the new one's comes again right behind, and
 * has the last word. Remembering the old session would be worse: it locks the living page out where
 * the old one's join is the first that the room hears of.
 */
static bool join_reloaded(struct room *room, struct peer *member, const struct room_event *event,
                          struct room_effects *effects)
{
    COPY(member->session, event->session);
    COPY(member->name, event->peer_name);
    show_up(member);
    raise_rev(room, event);
    changed(room, effects);
    member->seat_rev = room->rev;
    tell_joined(room, member, false, effects);
    tell_arrived(room, member, false, effects);
    return true;
}

/* The member with the oldest seat, if the event's seat is newer than that; else NULL. */
static struct peer *outranked(struct room *room, const struct room_event *event)
{
    struct peer *oldest = &room->peers[0];
    for (unsigned i = 1; i < room->peer_count; i++) {
        if (room->peers[i].seat_rev < oldest->seat_rev) {
            oldest = &room->peers[i];
        }
    }
    return event->seat_rev > oldest->seat_rev ? oldest : NULL;
}

/* A join of one who is no member. */
static bool join_new(struct room *room, const struct room_event *event, int64_t now,
                     struct room_effects *effects)
{
    bool reclaiming = now < room->reclaim_until;
    bool by_seat = reclaiming && event->has_seat;
    bool full = room->peer_count == ROOM_PEERS_MAX;
    struct peer *displaced = full && by_seat ? outranked(room, event) : NULL;

    if (reclaiming && !event->has_seat) {
        int64_t wait_s = (room->reclaim_until - now + 999) / 1000;
        tell_error(event, STATUS_UNAVAILABLE, (unsigned)wait_s, effects);
        return false;
    }
    if (full && displaced == NULL) {
        tell_full(event, effects);
        return false;
    }
    if (event->refusal != STATUS_OK) {
        tell_error(event, event->refusal, event->refusal == STATUS_UNAVAILABLE ? ROOM_RETRY_S : 0,
                   effects);
        return false;
    }

    char put_out[PEER_ID_MAX + 1] = "";
    if (displaced != NULL) {
        COPY(put_out, displaced->id);
        remove_peer(room, displaced);
    }
    struct peer *peer = &room->peers[room->peer_count++];
    memset(peer, 0, sizeof(*peer));
    COPY(peer->id, event->peer_id);
    COPY(peer->session, event->session);
    COPY(peer->name, event->peer_name);
    raise_rev(room, event);
    changed(room, effects);
    peer->seat_rev = by_seat ? event->seat_rev : room->rev;
    bool resumed = by_seat && event->seat_resumes;
    tell_joined(room, peer, resumed, effects);
    tell_arrived(room, peer, resumed, effects);
    /* Only the one who is put out hears of it: the other would end a call that is none of this
     * seat's. */
    if (put_out[0] != '\0') {
        tell_cut(put_out, put_out, CUT_KICKED, effects);
    }
    return true;
}

static bool step_join(struct room *room, const struct room_event *event, int64_t now,
                      struct room_effects *effects)
{
    struct peer *member = find(room, event->peer_id);
    if (member == NULL) {
        return join_new(room, event, now, effects);
    }
    return strcmp(member->session, event->session) == 0
               ? join_again(room, member, event, effects)
               : join_reloaded(room, member, event, effects);
}

/* Rule 2: frees the seat at once; one who is no member, or a session that was taken over, has
 * nothing to free. */
static bool step_cut(struct room *room, const struct room_event *event,
                     struct room_effects *effects)
{
    struct peer *member = find(room, event->peer_id);
    if (member == NULL || strcmp(member->session, event->session) != 0) {
        return false;
    }
    remove_peer(room, member);
    changed(room, effects);
    if (room->peer_count > 0) {
        tell_cut(room->peers[0].id, event->peer_id, CUT_HUNG_UP, effects);
    }
    return true;
}

/* Rule 4: the seat is kept for the grace. A will that names another session than the seat's is an
 * old page's. */
static bool step_gone(struct room *room, const struct room_event *event, int64_t away_until,
                      struct room_effects *effects)
{
    struct peer *member = find(room, event->peer_id);
    if (member == NULL || member->state == PEER_AWAY ||
        (event->session[0] != '\0' && strcmp(member->session, event->session) != 0)) {
        return false;
    }
    go_away(member, away_until);
    changed(room, effects);
    const struct peer *other = other_than(room, member);
    if (other != NULL) {
        struct room_effect *effect = add_effect(effects, EFFECT_USER_AWAY, other->id);
        COPY(effect->about, member->id);
    }
    return true;
}

/*
 * Rule 4: too late, so out. Nobody tells the one who is out: the notice would wait in its queue and
 * end a later call. The seats that end together end in one change.
 */
static bool step_time(struct room *room, int64_t now, struct room_effects *effects)
{
    char lost[PEER_ID_MAX + 1] = "";
    for (unsigned i = room->peer_count; i-- > 0;) {
        struct peer *peer = &room->peers[i];
        if (peer->state == PEER_AWAY && peer->away_until <= now) {
            COPY(lost, peer->id);
            remove_peer(room, peer);
        }
    }
    if (room->reclaim_until <= now) {
        room->reclaim_until = 0;
    }
    if (lost[0] == '\0') {
        return false;
    }
    changed(room, effects);
    if (room->peer_count > 0) {
        tell_cut(room->peers[0].id, lost, CUT_LOST, effects);
    }
    return true;
}

/*
 * Rule 6: a full grace for everybody, and for the window of rule 7: nobody could show up while we,
 * or the broker, were away. To those who were away already nothing happens that anybody sees.
 */
static bool step_crash(struct room *room, int64_t until, struct room_effects *effects)
{
    bool somebody_left = false;
    if (room->reclaim_until != 0) {
        room->reclaim_until = until;
    }
    for (unsigned i = 0; i < room->peer_count; i++) {
        somebody_left |= room->peers[i].state == PEER_PRESENT;
        go_away(&room->peers[i], until);
    }
    if (somebody_left) {
        changed(room, effects);
    }
    return somebody_left;
}

bool room_step(struct room *room, const struct room_event *event, int64_t now, int64_t grace_ms,
               struct room_effects *effects)
{
    effects->count = 0;
    switch (event->kind) {
    case ROOM_EVENT_JOIN:
        return step_join(room, event, now, effects);
    case ROOM_EVENT_CUT:
        return step_cut(room, event, effects);
    case ROOM_EVENT_GONE:
        return step_gone(room, event, now + grace_ms, effects);
    case ROOM_EVENT_TIME:
        return step_time(room, now, effects);
    case ROOM_EVENT_CRASH:
        return step_crash(room, now + grace_ms, effects);
    }
    return false;
}

int64_t room_deadline(const struct room *room)
{
    int64_t deadline = room->reclaim_until != 0 ? room->reclaim_until : INT64_MAX;
    for (unsigned i = 0; i < room->peer_count; i++) {
        const struct peer *peer = &room->peers[i];
        if (peer->state == PEER_AWAY && peer->away_until < deadline) {
            deadline = peer->away_until;
        }
    }
    return deadline;
}
