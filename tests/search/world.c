/* The world and the real room in it; see world.h. */
#include "world.h"

#include "roomd/room.h"

#include <string.h>

/* Grace is a choice of the search, not a span: whoever's time runs out has a deadline of 0,
 * everybody else one far off. */
#define GRACE 1000
#define REV   500

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
    room->rev = REV;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world->clients[i];
        if (!client->seated) {
            continue;
        }
        struct peer *peer = &room->peers[room->peer_count++];
        strcpy(peer->id, peer_ids[i]);
        strcpy(peer->name, "Name");
        strcpy(peer->session, sessions[client->seat_session]);
        peer->state = client->away ? PEER_AWAY : PEER_PRESENT;
        peer->away_until = !client->away || (out_of_grace >> i & 1) != 0 ? 0 : GRACE;
    }
}

static void take_room(struct world *world, const struct room *room)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->seat_session = 0;
        client->seated = client->away = false;
    }
    for (unsigned i = 0; i < room->peer_count; i++) {
        const struct peer *peer = &room->peers[i];
        struct client *client = &world->clients[client_of(peer->id)];
        client->seated = true;
        client->seat_session = session_of(peer->session);
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

static const char *check_effects(const struct room *room, bool changed,
                                 const struct room_effects *effects)
{
    if (room->rev != REV + (changed ? 1 : 0)) {
        return "rev does not grow by one with each change";
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
        if ((effect->kind == EFFECT_USER_ARRIVED || effect->kind == EFFECT_USER_AWAY ||
             effect->kind == EFFECT_CUT) &&
            (to == NULL || strcmp(effect->peer, effect->about) == 0)) {
            return "one who is no member hears of the members";
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
            strcmp(effect->session, event->session) != 0) {
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
 * page; never else. */
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
        if (was->seated && !is->seated && !cut && !late) {
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
        unsigned message = first;
        if (first != MESSAGE_LEFT) {
            if (session_of(effect->session) != client->session) {
                continue; /* for a page that is no more */
            }
            message = message_of(first, client->session);
        }
        if (!queue_push(&client->to_client, message, TO_CLIENT_MAX)) {
            return false;
        }
    }
    return told == WORLD_TELL_ALL || seen > told;
}

/* One event in the real room; `out_of_grace` has a bit for each client whose time is over. */
static bool step(struct world *world, const struct room_event *event, unsigned out_of_grace,
                 unsigned told)
{
    struct world before = *world;
    struct room room;
    struct room_effects effects;
    make_room(world, out_of_grace, &room);
    bool changed = room_step(&room, event, 0, GRACE, &effects);
    world->violation = check_room(&room);
    if (world->violation != NULL) {
        return true;
    }
    take_room(world, &room);
    const char *broken[] = {check_effects(&room, changed, &effects),
                            check_answer(&before, event, &effects),
                            check_seats(&before, world, event, out_of_grace)};
    for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        world->violation = world->violation != NULL ? world->violation : broken[i];
    }
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

bool world_deliver(struct world *world, unsigned index, unsigned told)
{
    static const enum room_event_kind events[] = {
        [MESSAGE_JOIN_1] = ROOM_EVENT_JOIN, [MESSAGE_JOIN_2] = ROOM_EVENT_JOIN,
        [MESSAGE_CUT_1] = ROOM_EVENT_CUT,   [MESSAGE_CUT_2] = ROOM_EVENT_CUT,
        [MESSAGE_GONE_1] = ROOM_EVENT_GONE, [MESSAGE_GONE_2] = ROOM_EVENT_GONE,
        [MESSAGE_GONE] = ROOM_EVENT_GONE,
    };
    unsigned message;
    if (!world_take(world, index, &message)) {
        return false;
    }
    const struct room_event event = {
        .kind = events[message],
        .peer_id = peer_ids[index],
        .session = message == MESSAGE_GONE ? "" : sessions[message_session(message)],
        .peer_name = "Name"};
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

bool world_crash(struct world *world)
{
    const struct room_event event = {.kind = ROOM_EVENT_CRASH};
    return step(world, &event, 0, WORLD_TELL_ALL);
}
