/* The world and the real room in it; see world.h. */
#include "world.h"

#include "roomd/room.h"

#include <string.h>

/* Grace is a choice of the search, not a span: whoever's time runs out has a deadline of 0,
 * everybody else one far off. */
#define GRACE 1000

bool world_fence = true;

bool world_has_seats(const struct world *world)
{
    return world->budgets.stores > 0 || world->unknown || world->reclaiming;
}

unsigned message_of(unsigned first, unsigned session)
{
    return first + session - 1;
}

unsigned message_session(unsigned message)
{
    return (message - 1) % 2 + 1;
}

unsigned queue_length(unsigned queue)
{
    unsigned length = 0;
    for (; queue != 0; queue >>= 3) {
        length++;
    }
    return length;
}

bool queue_push(unsigned *queue, unsigned message, unsigned max)
{
    unsigned length = queue_length(*queue);
    if (length > 0 && *queue >> (3 * (length - 1)) == message) {
        return true;
    }
    if (length >= max) {
        return false;
    }
    *queue |= message << (3 * length);
    return true;
}

unsigned queue_first(unsigned queue)
{
    return queue & 7;
}

unsigned queue_pop(unsigned *queue)
{
    unsigned message = *queue & 7;
    *queue >>= 3;
    return message;
}

/* ---- the room of room.h, and back ---- */

static const char *const peer_ids[CLIENTS] = {"p-a", "p-b", "p-c"};
static const char *const sessions[] = {"", "1", "2"};

static unsigned client_of(const char *peer_id)
{
    return (unsigned)(peer_id[2] - 'a');
}

static unsigned session_of(const char *session)
{
    return session[0] == '\0' ? 0 : (unsigned)(session[0] - '0');
}

static void make_room(const struct world *world, unsigned out_of_grace, struct room *room)
{
    memset(room, 0, sizeof(*room));
    strcpy(room->id, "room");
    room->rev = world->rev;
    room->reclaim_until = world->reclaiming ? GRACE : 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world->clients[i];
        if (!client->seated) {
            continue;
        }
        struct peer *peer = &room->peers[room->peer_count++];
        strcpy(peer->id, peer_ids[i]);
        strcpy(peer->name, "Name");
        strcpy(peer->session, sessions[client->seat_session]);
        peer->seat_rev = client->seat_rev;
        peer->state = client->away ? PEER_AWAY : PEER_PRESENT;
        peer->away_until = !client->away || (out_of_grace >> i & 1) != 0 ? 0 : GRACE;
    }
}

static void take_room(struct world *world, const struct room *room)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->seat_session = client->stored_session = 0;
        client->seat_rev = 0;
        client->seated = client->away = false;
    }
    world->rev = room->rev;
    for (unsigned i = 0; i < room->peer_count; i++) {
        const struct peer *peer = &room->peers[i];
        struct client *client = &world->clients[client_of(peer->id)];
        client->seated = true;
        client->seat_session = client->stored_session = session_of(peer->session);
        client->seat_rev = peer->seat_rev;
        client->away = peer->state == PEER_AWAY;
    }
}

/* ---- promises that hold at every step ---- */

static const char *check_room(const struct room *room)
{
    if (room->peer_count > ROOM_PEERS_MAX) {
        return "three members";
    }
    if (room->peer_count == 2 && strcmp(room->peers[0].id, room->peers[1].id) == 0) {
        return "one peer has both seats";
    }
    return NULL;
}

/* Was somebody with an older seat put out for a newer one (rule 7)? */
static bool is_kick(const struct room_effect *effect)
{
    return effect->kind == EFFECT_CUT && strcmp(effect->reason, CUT_KICKED) == 0;
}

static const char *check_effects(const struct world *before, const struct room_event *event,
                                 const struct room *room, bool changed,
                                 const struct room_effects *effects)
{
    bool by_seat = changed && event->has_seat && event->seat_rev > before->rev;
    if (room->rev != (by_seat ? event->seat_rev : before->rev) + (changed ? 1 : 0)) {
        return "rev does not grow by one with each change, above every seat that was shown";
    }
    for (unsigned i = 0; i < effects->count; i++) {
        const struct room_effect *effect = &effects->items[i];
        const struct peer *to = room_find_peer(room, effect->peer);
        if ((effect->kind == EFFECT_STATE) != (changed && i == 0)) {
            return "the state is not told first, once";
        }
        if (effect->kind == EFFECT_JOINED &&
            (to == NULL || strcmp(to->session, effect->session) != 0 || to->state != PEER_PRESENT ||
             effect->seat_rev != room->rev)) {
            return "one who has no seat hears joined";
        }
        if (is_kick(effect) && (to != NULL || strcmp(effect->peer, effect->about) != 0 ||
                                !event->has_seat || !before->reclaiming)) {
            return "one is put out who should not be";
        }
        if ((effect->kind == EFFECT_USER_ARRIVED || effect->kind == EFFECT_USER_AWAY ||
             effect->kind == EFFECT_CUT) &&
            !is_kick(effect) && (to == NULL || strcmp(effect->peer, effect->about) == 0)) {
            return "one who is no member hears of the members";
        }
        if (effect->kind == EFFECT_JOINED && !event->has_seat && before->reclaiming &&
            !before->clients[client_of(effect->peer)].seated) {
            return "a stranger sits down while seats are claimed";
        }
    }
    return NULL;
}

static const char *check_answer(const struct world *before, const struct room_event *event,
                                const struct room_effects *effects)
{
    unsigned answers = 0;
    for (unsigned i = 0; i < effects->count; i++) {
        const struct room_effect *effect = &effects->items[i];
        if (effect->kind != EFFECT_JOINED && effect->kind != EFFECT_FULL_ROOM &&
            effect->kind != EFFECT_ERROR) {
            continue;
        }
        answers++;
        if (event->kind != ROOM_EVENT_JOIN || strcmp(effect->peer, event->peer_id) != 0 ||
            (effect->kind != EFFECT_ERROR && strcmp(effect->session, event->session) != 0)) {
            return "an answer to nobody's question";
        }
        const struct client *asker = &before->clients[client_of(event->peer_id)];
        if (effect->kind != EFFECT_JOINED && asker->seated &&
            session_of(event->session) == asker->session) {
            return "locked out by one's own ghost";
        }
    }
    return event->kind == ROOM_EVENT_JOIN && answers != 1 ? "a join without exactly one answer"
                                                          : NULL;
}

/* A join of that session is on its way. */
static bool asks(const struct client *client, unsigned session)
{
    unsigned queue = client->to_roomd;
    while (queue != 0) {
        if (queue_pop(&queue) == message_of(MESSAGE_JOIN_1, session)) {
            return true;
        }
    }
    return false;
}

/* A seat goes by its own session's cut, by the end of its grace, or over to the same peer's next
 * page, or to a newer one while a lost room is claimed back; never else. */
static const char *check_seats(const struct world *before, const struct world *after,
                               const struct room_event *event, unsigned out_of_grace)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *was = &before->clients[i];
        const struct client *is = &after->clients[i];
        bool is_sender = event->peer_id != NULL && client_of(event->peer_id) == i;
        bool cut = event->kind == ROOM_EVENT_CUT && is_sender &&
                   session_of(event->session) == was->seat_session;
        bool late = event->kind == ROOM_EVENT_TIME && (out_of_grace >> i & 1) != 0;
        bool outranked = event->kind == ROOM_EVENT_JOIN && event->has_seat && before->reclaiming &&
                         was->seat_rev < event->seat_rev;
        if (was->seated && !is->seated && !cut && !late && !outranked) {
            return "a seat is lost within its grace";
        }
        /* A page that is no more may take the seat only with the living one's join right behind. */
        if (was->seated && is->seated && was->seat_session == was->session &&
            is->seat_session != was->session && !asks(is, was->session)) {
            return "a page that is no more puts the living one out";
        }
        if (!was->seated && is->seated && !(event->kind == ROOM_EVENT_JOIN && is_sender)) {
            return "a seat for one who did not ask";
        }
    }
    return NULL;
}

/* ---- steps ---- */

/* Pushes what the clients hear, up to `told` messages. False when a queue is full, or when there
 * were no more than `told`. */
static bool tell(struct world *world, const struct room_effects *effects, unsigned told)
{
    static const unsigned firsts[] = {[EFFECT_JOINED] = MESSAGE_JOINED_1,
                                      [EFFECT_FULL_ROOM] = MESSAGE_FULL_1,
                                      [EFFECT_CUT] = MESSAGE_LEFT,
                                      [EFFECT_ERROR] = 0};
    unsigned seen = 0;
    for (unsigned i = 0; i < effects->count; i++) {
        const struct room_effect *effect = &effects->items[i];
        unsigned first = firsts[effect->kind];
        if (first == 0 || seen++ >= told) {
            continue;
        }
        struct client *client = &world->clients[client_of(effect->peer)];
        unsigned message = is_kick(effect) ? MESSAGE_KICKED : first;
        if (first != MESSAGE_LEFT) {
            if (session_of(effect->session) != client->session) {
                continue; /* for a page that is no more */
            }
            message = message_of(first, client->session);
        }
        if (effect->kind == EFFECT_JOINED) {
            client->coming = effect->seat_rev;
        }
        if (!queue_push(&client->to_client, message, TO_CLIENT_MAX)) {
            return false;
        }
    }
    return told == WORLD_TELL_ALL || seen > told;
}

/* Whoever is to come again when the window is over hears of it at once. */
static void tell_to_wait(struct world *world, const struct room_effects *effects)
{
    for (unsigned i = 0; i < effects->count; i++) {
        const struct room_effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_ERROR && effect->error == STATUS_UNAVAILABLE) {
            struct client *client = &world->clients[client_of(effect->peer)];
            client->waiting = client->view == VIEW_ASKING || client->view == VIEW_ASKING_AGAIN;
        }
    }
}

/* Rule 7, as roomd/rooms.c has it: a room that is not known comes back by a seat. False when it
 * stays unknown. */
static bool bring_back(struct world *world, const struct room_event *event)
{
    if (event->kind != ROOM_EVENT_JOIN || !event->has_seat) {
        return false;
    }
    world->unknown = false;
    world->reclaiming = true;
    return true;
}

/* One event in the real room; `out_of_grace` has a bit for each client whose time is over. */
static bool step(struct world *world, const struct room_event *event, unsigned out_of_grace,
                 unsigned told)
{
    struct room room;
    struct room_effects effects;
    if (world->unknown && !bring_back(world, event)) {
        if (event->kind != ROOM_EVENT_JOIN) {
            return told == WORLD_TELL_ALL;
        }
        struct client *asker = &world->clients[client_of(event->peer_id)];
        return told == WORLD_TELL_ALL &&
               (session_of(event->session) != asker->session ||
                queue_push(&asker->to_client, message_of(MESSAGE_FULL_1, asker->session),
                           TO_CLIENT_MAX));
    }
    struct world before = *world;
    make_room(world, out_of_grace, &room);
    bool changed = room_step(&room, event, 0, GRACE, &effects);
    world->violation = check_room(&room);
    if (world->violation != NULL) {
        return true;
    }
    take_room(world, &room);
    const char *broken[] = {check_effects(&before, event, &room, changed, &effects),
                            check_answer(&before, event, &effects),
                            check_seats(&before, world, event, out_of_grace)};
    for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        world->violation = world->violation != NULL ? world->violation : broken[i];
    }
    tell_to_wait(world, &effects);
    return world->violation != NULL || tell(world, &effects, told);
}

bool world_take(struct world *world, unsigned index, unsigned *message)
{
    struct client *client = &world->clients[index];
    unsigned again = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        again += queue_length(world->clients[i].taken);
    }
    *message = queue_pop(&client->to_roomd);
    return *message != 0 && (!world->stalled || (again < TAKEN_ALL_MAX &&
                                                 queue_push(&client->taken, *message, TAKEN_MAX)));
}

/* A client's message as the event it is. */
static struct room_event event_of(const struct world *world, unsigned index, unsigned message)
{
    static const enum room_event_kind events[] = {
        [MESSAGE_JOIN_1] = ROOM_EVENT_JOIN, [MESSAGE_JOIN_2] = ROOM_EVENT_JOIN,
        [MESSAGE_CUT_1] = ROOM_EVENT_CUT,   [MESSAGE_CUT_2] = ROOM_EVENT_CUT,
        [MESSAGE_GONE_1] = ROOM_EVENT_GONE, [MESSAGE_GONE_2] = ROOM_EVENT_GONE,
        [MESSAGE_GONE] = ROOM_EVENT_GONE,
    };
    bool shows_seat = events[message] == ROOM_EVENT_JOIN && world_has_seats(world);
    uint64_t held = shows_seat ? world->clients[index].held : 0;
    return (struct room_event){
        .kind = events[message],
        .peer_id = peer_ids[index],
        .session = message == MESSAGE_GONE ? "" : sessions[message_session(message)],
        .peer_name = "Name",
        .has_seat = held != 0,
        .seat_rev = held};
}

bool world_deliver(struct world *world, unsigned index, unsigned told)
{
    unsigned message;
    if (!world_take(world, index, &message)) {
        return false;
    }
    const struct room_event event = event_of(world, index, message);
    return step(world, &event, 0, told);
}

bool world_end_grace(struct world *world, unsigned index)
{
    const struct room_event event = {.kind = ROOM_EVENT_TIME};
    unsigned over = 0, away = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (world->clients[i].away) {
            away++;
            over |= i == index || index == CLIENTS ? 1u << i : 0;
        }
    }
    return over != 0 && (index < CLIENTS || away == 2) && step(world, &event, over, WORLD_TELL_ALL);
}

static bool one_is_stopped(const struct world *world)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (world->clients[i].stale_message != 0) {
            return true;
        }
    }
    return false;
}

bool world_overtake(struct world *world, unsigned index)
{
    unsigned message;
    if (one_is_stopped(world) || !world_take(world, index, &message)) {
        return false;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->stale_session = client->seated ? client->seat_session : 0;
        client->stale_away = client->away;
    }
    world->clients[index].stale_message = message;
    return true;
}

/* What it would write: the room as it knows it, and its message. */
static void commit_stale(struct world *world, unsigned index)
{
    struct world stale = *world;
    struct room room;
    struct room_effects effects;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &stale.clients[i];
        client->seat_session = client->stale_session;
        client->seated = client->stale_session != 0;
        client->away = client->stale_away;
    }
    const struct room_event event = event_of(&stale, index, stale.clients[index].stale_message);
    make_room(&stale, 0, &room);
    if (!room_step(&room, &event, 0, GRACE, &effects)) {
        return;
    }
    take_room(&stale, &room);
    for (unsigned i = 0; i < CLIENTS; i++) {
        world->clients[i].stored_session = stale.clients[i].stored_session;
    }
}

bool world_wake(struct world *world, unsigned index)
{
    if (world->clients[index].stale_message == 0) {
        return false;
    }
    /* The store is another's (roomd/store.h), and so is the connection: nobody hears of it. */
    if (!world_fence) {
        commit_stale(world, index);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->stale_message = client->stale_session = 0;
        client->stale_away = false;
    }
    return true;
}

bool world_crash(struct world *world)
{
    const struct room_event event = {.kind = ROOM_EVENT_CRASH};
    if (world->unknown) {
        return true;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world->clients[i];
        if ((client->seated ? client->seat_session : 0) != client->stored_session) {
            world->violation = "the store has other seats than those that were told";
            return true;
        }
    }
    return step(world, &event, 0, WORLD_TELL_ALL);
}

void world_lose_store(struct world *world)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->seat_session = client->stored_session = 0;
        client->seat_rev = 0;
        client->seated = client->away = false;
    }
    world->rev = 0;
    world->unknown = true;
    world->reclaiming = false;
}
