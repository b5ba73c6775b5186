/* What holds before and after an event; see rooms_mirror.h. Rule numbers are those of
 * docs/protocol.md. */
#include "rooms_mirror.h"

const char *const mirror_rooms[ROOM_COUNT] = {"r1", "r2", "g1", "g2"};

unsigned mirror_room_index(const char *id)
{
    unsigned i = 0;
    while (i < ROOM_COUNT && strcmp(mirror_rooms[i], id) != 0)
        i++;
    return i;
}

void mirror_emit(void *ctx, const struct rooms_effect *effect)
{
    struct telling *telling = ctx;
    PROMISE(telling->count < TOLD_MAX);
    struct told *told = &telling->items[telling->count++];
    *told = (struct told){.kind = effect->kind,
                          .room = mirror_room_index(effect->room_id),
                          .has_room = effect->room != NULL,
                          .created = effect->created,
                          .error = effect->error};
    if (effect->kind == ROOMS_STEP)
        told->step = *effect->step;
    if (effect->kind == ROOMS_CREATED || effect->kind == ROOMS_REFUSED) {
        snprintf(told->peer, sizeof told->peer, "%s", effect->peer_id);
        snprintf(told->request, sizeof told->request, "%s", effect->request);
    }
}

/* ---- snapshots ---- */

static enum status note_dirty(void *ctx, const char *room_id, const struct room *room,
                              int64_t empty_since)
{
    struct snapshot *out = ctx;
    unsigned index = mirror_room_index(room_id);
    (void)empty_since;
    PROMISE(index < ROOM_COUNT && !out->dirty[index] && out->exists[index] == (room != NULL));
    out->dirty[index] = true;
    return STATUS_OK;
}

void mirror_take(const struct rooms *rooms, struct snapshot *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < ROOM_COUNT; i++)
        out->exists[i] = rooms_get(rooms, mirror_rooms[i], &out->rooms[i]);
    out->counts = rooms_count(rooms);
    out->deadline = rooms_deadline(rooms);
    PROMISE(rooms_each_dirty(rooms, note_dirty, out) == STATUS_OK);
    bool any = false;
    for (unsigned i = 0; i < ROOM_COUNT; i++)
        any |= out->dirty[i];
    PROMISE(rooms_are_dirty(rooms) == any);
}

static bool is_same_room(const struct snapshot *a, const struct snapshot *b, unsigned i)
{
    return a->exists[i] == b->exists[i] &&
           memcmp(&a->rooms[i], &b->rooms[i], sizeof *a->rooms) == 0;
}

bool mirror_is_same(const struct snapshot *a, const struct snapshot *b)
{
    for (unsigned i = 0; i < ROOM_COUNT; i++) {
        if (!is_same_room(a, b, i) || a->dirty[i] != b->dirty[i])
            return false;
    }
    return a->counts.rooms == b->counts.rooms && a->counts.peers == b->counts.peers &&
           a->counts.present == b->counts.present && a->deadline == b->deadline;
}

/* ---- at any time ---- */

static void check_room(const struct room *room)
{
    PROMISE(room->peer_count <= ROOM_PEERS_MAX); /* rule 3 */
    PROMISE(room->rev >= 1);
    for (unsigned i = 0; i < room->peer_count; i++) {
        const struct peer *peer = &room->peers[i];
        PROMISE(peer->id[0] && peer->session[0] && peer->name[0]);
        PROMISE(peer->state == PEER_AWAY || (peer->state == PEER_PRESENT && peer->away_until == 0));
        PROMISE(i == 0 || strcmp(peer->id, room->peers[0].id) != 0);
    }
}

void mirror_check_rest(const struct snapshot *snapshot, const struct rooms_options *options)
{
    struct rooms_counts counts = {0};
    for (unsigned i = 0; i < ROOM_COUNT; i++) {
        const struct room *room = &snapshot->rooms[i];
        if (!snapshot->exists[i])
            continue;
        check_room(room);
        counts.rooms++;
        counts.peers += room->peer_count;
        for (unsigned k = 0; k < room->peer_count; k++)
            counts.present += room->peers[k].state == PEER_PRESENT;
        /* Nothing that has to happen is forgotten; and an empty room has an end (rule 8). */
        PROMISE(snapshot->deadline <= room_deadline(room));
        PROMISE(room->peer_count > 0 || snapshot->deadline < INT64_MAX);
    }
    PROMISE(snapshot->counts.rooms == counts.rooms && snapshot->counts.peers == counts.peers &&
            snapshot->counts.present == counts.present);
    PROMISE(options->rooms_max == 0 || counts.rooms <= options->rooms_max);
    PROMISE(options->peers_max == 0 || counts.peers <= options->peers_max);
}

/* ---- one event ---- */

/* Do both show the world the same state (docs/protocol.md, "Objects")? */
static bool shows_the_same(const struct room *a, const struct room *b)
{
    if (a->peer_count != b->peer_count)
        return false;
    for (unsigned i = 0; i < a->peer_count; i++) {
        const struct peer *p = &a->peers[i], *q = &b->peers[i];
        if (strcmp(p->id, q->id) != 0 || strcmp(p->name, q->name) != 0 ||
            strcmp(p->session, q->session) != 0 || p->state != q->state)
            return false;
    }
    return true;
}

static unsigned count_states(const struct telling *telling, unsigned room)
{
    unsigned count = 0;
    for (unsigned i = 0; i < telling->count; i++) {
        const struct told *told = &telling->items[i];
        count += told->kind == ROOMS_STEP && told->room == room && told->step.kind == EFFECT_STATE;
    }
    return count;
}

static void check_room_change(const struct op *op, const struct snapshot *before,
                              const struct snapshot *after, const struct telling *telling,
                              unsigned i)
{
    const struct room *was = &before->rooms[i], *is = &after->rooms[i];
    unsigned states = count_states(telling, i);
    if (before->exists[i] && !after->exists[i]) {
        PROMISE(op->kind == OP_TIME && was->peer_count == 0); /* rule 8 */
        return;
    }
    if (!after->exists[i])
        return;
    PROMISE(is->rev >= was->rev);
    /* A room whose seats end twice in one call tells it twice. */
    PROMISE(op->kind == OP_TIME ? states <= is->rev - was->rev : states <= 1);
    PROMISE((is->rev > was->rev) == (states > 0));
    PROMISE(is->rev > was->rev || shows_the_same(was, is));
    bool concerned = op->kind == OP_TIME || op->room == i || op->room == ROOM_COUNT;
    PROMISE(concerned || is_same_room(before, after, i));
    PROMISE(is_same_room(before, after, i) || after->dirty[i]);
}

static void check_told_of_join(const struct op *op, const struct told *told, const struct room *was,
                               const struct room *is, unsigned *answers)
{
    const struct room_effect *step = &told->step;
    bool to_asker = strcmp(step->peer, op->peer) == 0;
    const struct peer *self = room_find_peer(is, op->peer);
    switch (step->kind) {
    case EFFECT_STATE:
        PROMISE(*answers == 0); /* before the replies it explains */
        break;
    case EFFECT_JOINED:
        PROMISE(to_asker && self && self->state == PEER_PRESENT);
        PROMISE(strcmp(step->session, op->session) == 0 && strcmp(self->session, op->session) == 0);
        PROMISE(step->seat_rev == is->rev);
        ++*answers;
        break;
    case EFFECT_FULL_ROOM:
        PROMISE(to_asker && strcmp(step->session, op->session) == 0);
        PROMISE(is->rev == was->rev);
        ++*answers;
        break;
    case EFFECT_ERROR:
        PROMISE(to_asker && step->error != STATUS_OK && is->rev == was->rev);
        ++*answers;
        break;
    case EFFECT_USER_ARRIVED:
        PROMISE(!to_asker && self && room_find_peer(is, step->peer));
        PROMISE(strcmp(step->about, op->peer) == 0 && strcmp(step->about_name, self->name) == 0);
        break;
    case EFFECT_CUT: /* rule 7 */
        PROMISE(strcmp(step->reason, CUT_KICKED) == 0 && strcmp(step->about, step->peer) == 0);
        PROMISE(room_find_peer(was, step->peer) && !room_find_peer(is, step->peer));
        PROMISE(op->has_seat);
        break;
    case EFFECT_USER_AWAY:
        PROMISE(!"user-away of a join");
    }
}

/* CUT, GONE and TIME: a state, and a word to a member who stays about one who does not. */
static void check_told_of_loss(const struct op *op, const struct told *told, const struct room *was,
                               const struct room *is)
{
    const struct room_effect *step = &told->step;
    if (step->kind == EFFECT_STATE)
        return;
    const char *reason = op->kind == OP_CUT ? CUT_HUNG_UP : CUT_LOST;
    PROMISE(step->kind == (op->kind == OP_GONE ? EFFECT_USER_AWAY : EFFECT_CUT));
    PROMISE(room_find_peer(is, step->peer) || op->kind == OP_TIME);
    PROMISE(room_find_peer(was, step->peer) && room_find_peer(was, step->about));
    PROMISE(strcmp(step->peer, step->about) != 0);
    PROMISE(op->kind == OP_TIME || strcmp(step->about, op->peer) == 0);
    PROMISE(op->kind == OP_GONE || strcmp(step->reason, reason) == 0);
    const struct peer *about = room_find_peer(is, step->about);
    PROMISE(op->kind == OP_GONE ? about && about->state == PEER_AWAY : about == NULL);
}

static void check_told(const struct op *op, const struct snapshot *before,
                       const struct snapshot *after, const struct telling *telling)
{
    unsigned answers = 0;
    for (unsigned i = 0; i < telling->count; i++) {
        const struct told *told = &telling->items[i];
        switch (told->kind) {
        case ROOMS_STEP:
            PROMISE(told->step.kind != EFFECT_STATE ||
                    (told->room < ROOM_COUNT && told->created == !before->exists[told->room]));
            if (op->kind == OP_CREATE || op->kind == OP_TRY_CREATE) {
                PROMISE(told->step.kind == EFFECT_STATE && answers == 0);
            } else if (op->kind == OP_JOIN) {
                PROMISE(told->room == op->room);
                check_told_of_join(op, told, &before->rooms[op->room], &after->rooms[op->room],
                                   &answers);
            } else {
                PROMISE(told->room < ROOM_COUNT && told->has_room);
                check_told_of_loss(op, told, &before->rooms[told->room], &after->rooms[told->room]);
            }
            break;
        case ROOMS_CREATED:
        case ROOMS_REFUSED:
            PROMISE(op->kind == OP_CREATE || op->kind == OP_TRY_CREATE);
            PROMISE(strcmp(told->peer, op->peer) == 0);
            PROMISE(strcmp(told->request, op->session) == 0);
            PROMISE(op->room == ROOM_COUNT || told->room == op->room);
            if (told->kind == ROOMS_CREATED && op->kind == OP_TRY_CREATE) {
                PROMISE(!told->created && told->room < ROOM_COUNT);
                PROMISE(before->rooms[told->room].peer_count == 0);
            } else if (told->kind == ROOMS_CREATED) {
                PROMISE(after->exists[told->room] && after->rooms[told->room].peer_count == 0);
                PROMISE(told->created == !before->exists[told->room]);
            }
            answers++;
            break;
        case ROOMS_CLOSED:
            PROMISE(op->kind == OP_TIME && !after->exists[told->room]);
            break;
        }
    }
    bool asks = op->kind == OP_JOIN || op->kind == OP_CREATE || op->kind == OP_TRY_CREATE;
    PROMISE(answers == (asks ? 1 : 0));
}

/* A loss or a hang-up of a session that is not the seat's, which an old page may send late. */
static bool is_stale(const struct op *op, const struct room *was)
{
    if (op->kind != OP_CUT && op->kind != OP_GONE)
        return false;
    const struct peer *member = room_find_peer(was, op->peer);
    return !member || (op->session[0] != '\0' && strcmp(member->session, op->session) != 0);
}

void mirror_check_event(const struct op *op, const struct snapshot *before,
                        const struct snapshot *after, const struct telling *telling, bool refused)
{
    for (unsigned i = 0; i < ROOM_COUNT; i++)
        check_room_change(op, before, after, telling, i);
    if (op->kind == OP_TRY_CREATE || is_stale(op, &before->rooms[op->room]))
        PROMISE(mirror_is_same(before, after) && telling->count == (op->kind == OP_TRY_CREATE));
    check_told(op, before, after, telling);
    /* Nobody new gets in, and no new room comes to be, that the store could not hold. */
    for (unsigned i = 0; i < ROOM_COUNT && refused; i++) {
        PROMISE(before->exists[i] || !after->exists[i]);
        for (unsigned k = 0; k < after->rooms[i].peer_count; k++)
            PROMISE(room_find_peer(&before->rooms[i], after->rooms[i].peers[k].id) != NULL);
    }
}
