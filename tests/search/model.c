/* The model that the search walks through; see model.h. */
#include "model.h"

#include "world.h"

#include "roomd/room.h"

#include <string.h>

/* ---- what a connection's end says ---- */

static bool end_connection(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    unsigned message = variant % INBOX_LOST == GONE_BY_GATE
                           ? MESSAGE_GONE
                           : message_of(MESSAGE_GONE_1, client->session);
    bool fits = queue_push(&client->to_roomd, message, TO_ROOMD_MAX);
    client->connected = false;
    if (variant >= INBOX_LOST) {
        client->to_client = 0;
    }
    return fits;
}

static bool ask(struct client *client)
{
    client->waiting = false;
    return queue_push(&client->to_roomd, message_of(MESSAGE_JOIN_1, client->session), TO_ROOMD_MAX);
}

static bool say_cut(struct client *client)
{
    client->view = VIEW_OUT;
    client->held = client->coming = 0;
    client->waiting = false;
    return queue_push(&client->to_roomd, message_of(MESSAGE_CUT_1, client->session), TO_ROOMD_MAX);
}

static bool wants_in(const struct client *client)
{
    return client->view != VIEW_OUT;
}

/* ---- what clients do ---- */

static bool start(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    (void)variant;
    if (client->session != 0) {
        return false;
    }
    client->session = 1;
    client->connected = true;
    client->view = VIEW_ASKING;
    return ask(client);
}

static bool reload(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    if (client->session != 1 || (!client->connected && variant != 0) ||
        (variant == GONE_LATE && world->budgets.losses == 0) ||
        (client->connected && variant != GONE_LATE && !end_connection(world, index, variant))) {
        return false;
    }
    client->late_will = variant == GONE_LATE;
    world->budgets.losses -= client->late_will;
    client->to_client = 0; /* what was said to a page that is no more is for nobody */
    client->coming = 0;
    client->session = 2;
    client->connected = true;
    client->view = VIEW_ASKING;
    return ask(client);
}

static bool send_late_will(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    (void)variant;
    if (!client->late_will) {
        return false;
    }
    client->late_will = false;
    return queue_push(&client->to_roomd, MESSAGE_GONE_1, TO_ROOMD_MAX);
}

static bool lose(struct world *world, unsigned index, unsigned variant)
{
    if (!world->clients[index].connected || world->budgets.losses == 0) {
        return false;
    }
    world->budgets.losses--;
    return end_connection(world, index, variant);
}

/* `variant` 1: the join is lost, which takes a broker that came back before roomd did: a new epoch
 * is still to be seen. */
static bool reconnect(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    if (client->session == 0 || client->connected || !wants_in(client) ||
        (variant == 1 && queue_first(client->to_client) != MESSAGE_EPOCH)) {
        return false;
    }
    client->connected = true;
    if (client->view == VIEW_IN) {
        client->view = VIEW_ASKING_AGAIN;
    }
    return variant == 1 || ask(client);
}

static bool hang_up(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    (void)variant;
    return client->connected && wants_in(client) && say_cut(client);
}

static bool see_epoch(struct client *client)
{
    if (client->view == VIEW_IN) {
        client->view = VIEW_ASKING_AGAIN;
    }
    return !wants_in(client) || ask(client);
}

static bool hear(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    (void)variant;
    if (!client->connected || client->to_client == 0) {
        return false;
    }
    unsigned message = queue_pop(&client->to_client);
    bool in_call = client->view == VIEW_IN || client->view == VIEW_ASKING_AGAIN;
    if (message == MESSAGE_EPOCH) {
        return see_epoch(client);
    }
    if (message == MESSAGE_LEFT) {
        return in_call ? say_cut(client) : true;
    }
    if (message == MESSAGE_KICKED) {
        client->held = client->coming = 0;
        return in_call ? say_cut(client) : true;
    }
    if (message == message_of(MESSAGE_FULL_1, client->session)) {
        client->view = VIEW_OUT;
        client->waiting = false;
    } else if (wants_in(client)) {
        client->view = VIEW_IN;
        client->held = client->coming;
    } else {
        return say_cut(client); /* joined, and wanted no longer */
    }
    return true;
}

/* ---- what roomd does ---- */

static bool deliver(struct world *world, unsigned index, unsigned variant)
{
    (void)variant;
    return world_deliver(world, index, WORLD_TELL_ALL);
}

static bool end_grace(struct world *world, unsigned index, unsigned variant)
{
    (void)variant;
    return world_end_grace(world, index);
}

/* roomd's receipts get lost from here on. */
static bool stall(struct world *world, unsigned index, unsigned variant)
{
    (void)index;
    (void)variant;
    const struct budgets *budgets = &world->budgets;
    if (budgets->crashes + budgets->stores + budgets->standbys == 0 || world->stalled) {
        return false;
    }
    world->stalled = true;
    return true;
}

/* What roomd took without a receipt comes again, before what it has not seen, in its order. */
static void bring_again(struct client *client)
{
    unsigned waiting = client->to_roomd;
    client->to_roomd = client->taken | waiting << (3 * queue_length(client->taken));
    client->taken = 0;
}

/* Each who wants to be in sees a new epoch. */
static bool tell_epoch(struct world *world)
{
    world->stalled = false;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        if (wants_in(client) && !queue_push(&client->to_client, MESSAGE_EPOCH, TO_CLIENT_MAX + 1)) {
            return false;
        }
    }
    return true;
}

static bool come_back(struct world *world)
{
    world->budgets.crashes--;
    return tell_epoch(world) && world_crash(world);
}

static bool crash(struct world *world, unsigned index, unsigned moment)
{
    if (world->budgets.crashes == 0 || (moment == CRASH_IDLE && index != 0)) {
        return false;
    }
    unsigned lost;
    if (moment == CRASH_UNCOMMITTED) {
        if (!world_take(world, index, &lost)) {
            return false;
        }
    } else if (moment != CRASH_IDLE && !world_deliver(world, index, moment - CRASH_TOLD_0)) {
        return false;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        bring_again(&world->clients[i]);
    }
    return come_back(world);
}

/* A standby takes over; the one at work was stopped before it committed, and wakes some time. */
static bool overtake(struct world *world, unsigned index, unsigned variant)
{
    (void)variant;
    if (world->budgets.standbys == 0 || !world_overtake(world, index)) {
        return false;
    }
    world->budgets.standbys--;
    for (unsigned i = 0; i < CLIENTS; i++) {
        bring_again(&world->clients[i]);
    }
    return tell_epoch(world) && world_crash(world);
}

static bool wake(struct world *world, unsigned index, unsigned variant)
{
    (void)variant;
    return world_wake(world, index);
}

static bool lose_store(struct world *world, unsigned index, unsigned variant)
{
    (void)index;
    (void)variant;
    if (world->budgets.stores == 0) {
        return false;
    }
    world->budgets.stores--;
    for (unsigned i = 0; i < CLIENTS; i++) {
        bring_again(&world->clients[i]);
    }
    world_lose_store(world);
    return tell_epoch(world);
}

static bool end_window(struct world *world, unsigned index, unsigned variant)
{
    (void)index;
    (void)variant;
    bool was_open = world->reclaiming;
    world->reclaiming = false;
    return was_open;
}

static bool retry(struct world *world, unsigned index, unsigned variant)
{
    struct client *client = &world->clients[index];
    (void)variant;
    return client->waiting && client->connected && !world->reclaiming && ask(client);
}

/* Nothing that was under way survives, and nobody's will is sent. */
static bool broker(struct world *world, unsigned index, unsigned variant)
{
    (void)index;
    (void)variant;
    if (world->budgets.crashes == 0) {
        return false;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        client->connected = client->late_will = false;
        client->to_roomd = client->to_client = client->taken = 0;
    }
    return come_back(world);
}

/* ---- all of it ---- */

static const struct {
    const char *name;
    bool (*act)(struct world *world, unsigned index, unsigned variant);
    unsigned clients; /* 0 = it is nobody's */
    unsigned variants;
} kinds[ACTION_KINDS] = {
    [ACTION_START] = {"opens the page", start, CLIENTS, 1},
    [ACTION_RELOAD] = {"reloads", reload, CLIENTS, RELOAD_VARIANTS},
    [ACTION_WILL] = {"its old page's will comes", send_late_will, CLIENTS, 1},
    [ACTION_LOSE] = {"loses its connection", lose, CLIENTS, LOSE_VARIANTS},
    [ACTION_RECONNECT] = {"reconnects", reconnect, CLIENTS, 2},
    [ACTION_HANG_UP] = {"hangs up", hang_up, CLIENTS, 1},
    [ACTION_HEAR] = {"hears its next message", hear, CLIENTS, 1},
    [ACTION_DELIVER] = {"is heard by roomd", deliver, CLIENTS, 1},
    [ACTION_GRACE] = {"runs out of grace", end_grace, CLIENTS + 1, 1},
    [ACTION_STALL] = {"what roomd takes from here on comes again", stall, 1, 1},
    [ACTION_CRASH] = {"roomd dies", crash, CLIENTS, CRASH_MOMENTS},
    [ACTION_BROKER] = {"the broker dies", broker, 1, 1},
    [ACTION_OVERTAKE] = {"a standby takes over from a roomd that is stopped with its message",
                         overtake, CLIENTS, 1},
    [ACTION_WAKE] = {"the one that was stopped goes on", wake, CLIENTS, 1},
    [ACTION_STORE] = {"roomd dies, and its store is lost", lose_store, 1, 1},
    [ACTION_WINDOW] = {"the window for seats ends", end_window, 1, 1},
    [ACTION_RETRY] = {"joins again, as it was told", retry, CLIENTS, 1},
};

#define ACTIONS_MAX 256

const struct action *model_actions(unsigned *count)
{
    static struct action actions[ACTIONS_MAX];
    static unsigned made;
    for (unsigned kind = 0; made == 0 && kind < ACTION_KINDS; kind++) {
        *count = kind == 0 ? 0 : *count;
        for (unsigned client = 0; client < kinds[kind].clients; client++) {
            for (unsigned variant = 0; variant < kinds[kind].variants; variant++) {
                actions[(*count)++] =
                    (struct action){(uint8_t)kind, (uint8_t)client, (uint8_t)variant, false};
                actions[(*count)++] =
                    (struct action){(uint8_t)kind, (uint8_t)client, (uint8_t)variant, true};
            }
        }
    }
    made = made == 0 ? *count : made;
    *count = made;
    return actions;
}

/* Only what changes the room's rev can bring two revs together. */
static bool moves_rev(unsigned kind)
{
    return kind == ACTION_DELIVER || kind == ACTION_GRACE || kind == ACTION_CRASH ||
           kind == ACTION_BROKER || kind == ACTION_OVERTAKE;
}

void model_without_fence(void)
{
    world_fence = false;
}

struct packed model_start(struct budgets budgets)
{
    struct world world = {.budgets = budgets, .rev = 1};
    unsigned char order[CLIENTS];
    return world_pack(&world, order);
}

bool model_apply(const struct packed *state, struct action action, struct packed *next,
                 unsigned char order[CLIENTS], const char **violation)
{
    struct world world;
    world_unpack(state, action.apart ? REVS_APART : REVS_ADJACENT, &world);
    if (action.apart && !(moves_rev(action.kind) && world_has_seats(&world))) {
        return false;
    }
    if (!kinds[action.kind].act(&world, action.client, action.variant)) {
        return false;
    }
    if (world.violation != NULL) {
        *violation = world.violation;
    }
    *next = world_pack(&world, order);
    return true;
}

const char *model_check_rest(const struct packed *state)
{
    struct world world;
    world_unpack(state, REVS_ADJACENT, &world);
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world.clients[i];
        if (client->to_roomd != 0 || client->late_will || (client->waiting && client->connected) ||
            (client->connected && client->to_client != 0)) {
            return NULL;
        }
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world.clients[i];
        bool in = client->connected && client->view == VIEW_IN;
        bool seated = client->seated && !client->away;
        if (client->connected && client->view != VIEW_IN && client->view != VIEW_OUT) {
            return "a join was never answered";
        }
        if (in && !(seated && client->seat_session == client->session)) {
            return "a client believes to be in, has no seat, and was told nothing";
        }
        if (seated && !in) {
            return "a seat is kept as present for nobody";
        }
    }
    return NULL;
}

void model_print_action(FILE *out, struct action action, const char names[CLIENTS])
{
    static const char *const ways[] = {"said by the will", "said by the gate",
                                       "its will to come late"};
    static const char *const moments[] = {"between two events", "before committing its message",
                                          "after committing its message, nothing told",
                                          "after committing its message, one answer told"};
    if (action.client < CLIENTS && kinds[action.kind].clients > 1) {
        fprintf(out, "%c: ", names[action.client]);
    }
    fprintf(out, "%s", kinds[action.kind].name);
    if (action.kind == ACTION_LOSE || action.kind == ACTION_RELOAD) {
        fprintf(out, ", %s%s",
                ways[action.kind == ACTION_LOSE ? action.variant % INBOX_LOST : action.variant],
                action.kind == ACTION_LOSE && action.variant >= INBOX_LOST ? ", its inbox is lost"
                                                                           : "");
    } else if (action.kind == ACTION_CRASH) {
        fprintf(out, " %s", moments[action.variant]);
    } else if (action.kind == ACTION_RECONNECT && action.variant == 1) {
        fprintf(out, ", its join is lost");
    }
    fprintf(out, "\n");
}

void model_print(FILE *out, const struct packed *state, const char names[CLIENTS])
{
    struct world world;
    world_unpack(state, REVS_ADJACENT, &world);
    world_print(out, &world, names);
}
