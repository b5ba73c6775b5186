/* All rooms and their rules; see rooms.h. Rule numbers are those of docs/protocol.md. */
#include "rooms.h"

#include "ledger.h"

#include <stdlib.h>
#include <string.h>

/* 60 random bits do not meet among a few million rooms; a few more tries are for the one time that
 * they do. */
#define GENERATE_TRIES 4

struct rooms {
    struct rooms_options options;
    enum status refusal;
    struct ledger ledger;
};

struct rooms *rooms_new(const struct rooms_options *options)
{
    struct rooms *rooms = calloc(1, sizeof(*rooms));
    if (rooms == NULL) {
        abort();
    }
    rooms->options = *options;
    rooms->refusal = STATUS_OK;
    ledger_init(&rooms->ledger, options->ttl_ms);
    return rooms;
}

void rooms_free(struct rooms *rooms)
{
    if (rooms != NULL) {
        ledger_clear(&rooms->ledger);
        free(rooms);
    }
}

void rooms_refuse(struct rooms *rooms, enum status refusal)
{
    rooms->refusal = refusal;
}

void rooms_begin(struct rooms *rooms)
{
    ledger_begin(&rooms->ledger);
}

void rooms_commit(struct rooms *rooms)
{
    ledger_commit(&rooms->ledger);
}

void rooms_rollback(struct rooms *rooms)
{
    ledger_rollback(&rooms->ledger);
}

static void emit_steps(const struct rooms *rooms, const char *room_id, const struct room *room,
                       bool created, const struct room_effects *effects)
{
    for (unsigned i = 0; i < effects->count; i++) {
        const struct rooms_effect effect = {.kind = ROOMS_STEP,
                                            .room_id = room_id,
                                            .room = room,
                                            .step = &effects->items[i],
                                            .created = created};
        rooms->options.emit(rooms->options.ctx, &effect);
    }
}

static void emit_error(const struct rooms *rooms, const char *room_id, const char *peer_id,
                       enum status error)
{
    struct room_effects effects = {.count = 1};
    struct room_effect *step = &effects.items[0];
    step->kind = EFFECT_ERROR;
    memcpy(step->peer, peer_id, strlen(peer_id) + 1);
    step->error = error;
    step->retry_s = error == STATUS_UNAVAILABLE ? ROOM_RETRY_S : 0;
    emit_steps(rooms, room_id, NULL, false, &effects);
}

/* Takes a room through one event, and keeps and tells what came of it. `entry` NULL: `room` is new
 * and comes into being if it changes. */
static void step(struct rooms *rooms, struct ledger_room *entry, struct room *room,
                 const struct room_event *event, int64_t now)
{
    struct room_effects effects;
    bool was_empty = room->peer_count == 0;
    int64_t reclaim_before = room->reclaim_until;
    bool changed = room_step(room, event, now, rooms->options.grace_ms, &effects);
    if (changed || room->reclaim_until != reclaim_before) {
        int64_t empty_since = was_empty && entry != NULL ? entry->empty_since : now;
        ledger_put(&rooms->ledger, room, empty_since);
    }
    emit_steps(rooms, room->id, room, entry == NULL, &effects);
}

/* ---- rule 1 ---- */

static void refuse_create(struct rooms *rooms, const char *peer_id, const char *request,
                          const char *room_id, enum status error)
{
    const struct rooms_effect effect = {.kind = ROOMS_REFUSED,
                                        .room_id = room_id,
                                        .peer_id = peer_id,
                                        .request = request,
                                        .error = error};
    rooms->options.emit(rooms->options.ctx, &effect);
}

static bool owns(const struct rooms *rooms, const char *id)
{
    return rooms->options.owns == NULL || rooms->options.owns(rooms->options.owner, id);
}

/* STATUS_OK, or why no room may be added now. */
static enum status may_add_room(const struct rooms *rooms)
{
    if (rooms->refusal != STATUS_OK) {
        return rooms->refusal;
    }
    unsigned most = rooms->options.rooms_max;
    return most != 0 && rooms->ledger.rooms >= most ? STATUS_QUOTA : STATUS_OK;
}

/* An id of our own: of N brokers, the Nth one on average. */
static void generate_own(const struct rooms *rooms, char id[static ROOM_ID_MAX + 1])
{
    do {
        rooms->options.generate_id(id);
    } while (!owns(rooms, id));
}

/* Fills in an id that names no room, if the asker wanted none. */
static enum status choose_id(const struct rooms *rooms, const char *wanted,
                             char id[static ROOM_ID_MAX + 1])
{
    if (wanted[0] != '\0') {
        memcpy(id, wanted, strlen(wanted) + 1);
        return STATUS_OK;
    }
    for (int i = 0; i < GENERATE_TRIES; i++) {
        generate_own(rooms, id);
        if (ledger_find(&rooms->ledger, id) == NULL) {
            return STATUS_OK;
        }
    }
    return STATUS_UNAVAILABLE;
}

/* Decides what a create-room comes to: the id and, when that room is there already, its entry. */
static enum status plan_create(const struct rooms *rooms, const char *wanted,
                               char id[static ROOM_ID_MAX + 1], struct ledger_room **entry)
{
    enum status status = choose_id(rooms, wanted, id);
    *entry = status == STATUS_OK ? ledger_find(&rooms->ledger, id) : NULL;
    if (status != STATUS_OK) {
        return status;
    }
    if (*entry == NULL) {
        return owns(rooms, id) ? may_add_room(rooms) : STATUS_BAD_ROOM_ID;
    }
    return (*entry)->peer_count > 0 ? STATUS_ROOM_OCCUPIED : STATUS_OK;
}

void rooms_try_create(struct rooms *rooms, const char *peer_id, const char *request,
                      const char *room_id)
{
    char id[ROOM_ID_MAX + 1];
    struct ledger_room *entry;
    enum status status = plan_create(rooms, room_id, id, &entry);
    if (status != STATUS_OK) {
        refuse_create(rooms, peer_id, request, room_id, status);
        return;
    }
    const struct rooms_effect effect = {
        .kind = ROOMS_CREATED, .room_id = id, .peer_id = peer_id, .request = request};
    rooms->options.emit(rooms->options.ctx, &effect);
}

void rooms_create(struct rooms *rooms, const char *peer_id, const char *request,
                  const char *room_id, int64_t now)
{
    struct room room = {0};
    struct ledger_room *entry;
    enum status status = plan_create(rooms, room_id, room.id, &entry);
    bool created = entry == NULL;
    if (status != STATUS_OK) {
        refuse_create(rooms, peer_id, request, room_id, status);
        return;
    }

    if (created) {
        room.rev = 1;
    } else {
        ledger_read(entry, &room);
    }
    /* One who was just given an old empty room has a whole time to live to use it. */
    ledger_put(&rooms->ledger, &room, now);
    if (created) {
        const struct room_effects state = {.count = 1, .items = {{.kind = EFFECT_STATE}}};
        emit_steps(rooms, room.id, &room, true, &state);
    }
    const struct rooms_effect effect = {.kind = ROOMS_CREATED,
                                        .room_id = room.id,
                                        .room = &room,
                                        .peer_id = peer_id,
                                        .request = request,
                                        .created = created};
    rooms->options.emit(rooms->options.ctx, &effect);
}

/* ---- rules 2 to 7 ---- */

static enum status may_add_peer(const struct rooms *rooms)
{
    if (rooms->refusal != STATUS_OK) {
        return rooms->refusal;
    }
    unsigned most = rooms->options.peers_max;
    return most != 0 && rooms->ledger.peers >= most ? STATUS_QUOTA : STATUS_OK;
}

/* Rule 7: a room that we do not know comes back by a valid seat, for seat holders only at first. */
static void join_unknown_room(struct rooms *rooms, const char *room_id,
                              const struct room_event *event, int64_t now)
{
    enum status status = event->has_seat ? may_add_room(rooms) : STATUS_NO_SUCH_ROOM;
    if (status == STATUS_OK) {
        status = event->refusal;
    }
    if (status != STATUS_OK) {
        emit_error(rooms, room_id, event->peer_id, status);
        return;
    }
    struct room room = {.reclaim_until = now + rooms->options.grace_ms};
    memcpy(room.id, room_id, strlen(room_id) + 1);
    step(rooms, NULL, &room, event, now);
}

void rooms_event(struct rooms *rooms, const char *room_id, const struct room_event *event,
                 int64_t now)
{
    struct room_event filled = *event;
    filled.refusal = may_add_peer(rooms);
    struct ledger_room *entry = ledger_find(&rooms->ledger, room_id);
    if (entry != NULL) {
        struct room room;
        ledger_read(entry, &room);
        step(rooms, entry, &room, &filled, now);
    } else if (event->kind == ROOM_EVENT_JOIN) {
        join_unknown_room(rooms, room_id, &filled, now);
    }
}

/* ---- time ---- */

/* Rule 8. */
static void close_room(struct rooms *rooms, struct ledger_room *entry)
{
    const struct rooms_effect effect = {.kind = ROOMS_CLOSED, .room_id = entry->id};
    ledger_remove(&rooms->ledger, entry);
    rooms->options.emit(rooms->options.ctx, &effect);
}

void rooms_time(struct rooms *rooms, int64_t now, unsigned most)
{
    const struct room_event event = {.kind = ROOM_EVENT_TIME};
    struct ledger *ledger = &rooms->ledger;
    for (; most > 0 && deadline_next(&ledger->steps) <= now; most--) {
        struct ledger_room *entry = ledger->steps.head->owner;
        struct room room;
        ledger_read(entry, &room);
        step(rooms, entry, &room, &event, now);
    }
    for (; most > 0 && deadline_next(&ledger->ends) <= now; most--) {
        close_room(rooms, ledger->ends.head->owner);
    }
}

int64_t rooms_deadline(const struct rooms *rooms)
{
    int64_t step_at = deadline_next(&rooms->ledger.steps);
    int64_t end_at = deadline_next(&rooms->ledger.ends);
    return step_at < end_at ? step_at : end_at;
}

/* ---- restarts ---- */

/* Rule 6 for one room, without a word to anybody. */
static void everybody_away(struct rooms *rooms, struct room *room, int64_t empty_since, int64_t now)
{
    const struct room_event event = {.kind = ROOM_EVENT_CRASH};
    struct room_effects effects;
    room_step(room, &event, now, rooms->options.grace_ms, &effects);
    ledger_put(&rooms->ledger, room, empty_since);
}

void rooms_load(struct rooms *rooms, const struct room *room, int64_t empty_since, int64_t now)
{
    struct room copy = *room;
    everybody_away(rooms, &copy, empty_since, now);
}

void rooms_crash(struct rooms *rooms, int64_t now)
{
    struct ledger_room *entry, *next;
    HASH_ITER(hh, rooms->ledger.by_id, entry, next)
    {
        if (entry->exists && (entry->peer_count > 0 || entry->reclaim_until != 0)) {
            struct room room;
            ledger_read(entry, &room);
            everybody_away(rooms, &room, entry->empty_since, now);
        }
    }
}

/* ---- looking ---- */

void rooms_each(const struct rooms *rooms, void (*each)(void *ctx, const struct room *room),
                void *ctx)
{
    for (struct ledger_room *entry = rooms->ledger.by_id; entry != NULL; entry = entry->hh.next) {
        if (entry->exists) {
            struct room room;
            ledger_read(entry, &room);
            each(ctx, &room);
        }
    }
}

enum status rooms_each_dirty(const struct rooms *rooms,
                             enum status (*each)(void *ctx, const char *room_id,
                                                 const struct room *room, int64_t empty_since),
                             void *ctx)
{
    enum status status = STATUS_OK;
    for (struct ledger_room *entry = rooms->ledger.dirty; entry != NULL && status == STATUS_OK;
         entry = entry->next) {
        struct room room;
        ledger_read(entry, &room);
        status = each(ctx, entry->id, entry->exists ? &room : NULL, entry->empty_since);
    }
    return status;
}

bool rooms_are_dirty(const struct rooms *rooms)
{
    return rooms->ledger.dirty != NULL;
}

void rooms_written(struct rooms *rooms)
{
    ledger_written(&rooms->ledger);
}

bool rooms_get(const struct rooms *rooms, const char *room_id, struct room *out)
{
    const struct ledger_room *entry = ledger_find(&rooms->ledger, room_id);
    if (entry != NULL && out != NULL) {
        ledger_read(entry, out);
    }
    return entry != NULL;
}

struct rooms_counts rooms_count(const struct rooms *rooms)
{
    return (struct rooms_counts){.rooms = rooms->ledger.rooms,
                                 .peers = rooms->ledger.peers,
                                 .present = rooms->ledger.present};
}
