/* The world as 32 bytes, and as text; see world.h. */
#include "world.h"

/* Shifts fields through a word, one order for both ways. */
static void put(uint64_t *word, unsigned value, unsigned bits)
{
    *word = *word << bits | value;
}

static unsigned get(uint64_t *word, unsigned bits)
{
    unsigned value = (unsigned)(*word & ((1u << bits) - 1));
    *word >>= bits;
    return value;
}

/* Of what is on its way to one who is out, only `joined` matters, and nothing if it is not
 * connected: it never comes back as this page. */
static unsigned inbox_that_matters(const struct client *client)
{
    unsigned queue = client->to_client;
    unsigned matters = 0;
    if (client->view != VIEW_OUT) {
        return queue;
    }
    while (client->connected && queue != 0) {
        unsigned message = queue_pop(&queue);
        if (message == MESSAGE_JOINED_1 || message == MESSAGE_JOINED_2) {
            queue_push(&matters, message, TO_CLIENT_MAX);
        }
    }
    return matters;
}

/* Revs only matter by their order: each becomes its place among all there are, from 1 on. */
struct ranks {
    uint64_t revs[3 * CLIENTS + 1];
    unsigned count;
};

static void note_rev(struct ranks *ranks, uint64_t rev)
{
    unsigned at = ranks->count;
    for (unsigned i = 0; i < ranks->count; i++) {
        if (ranks->revs[i] == rev) {
            return;
        }
    }
    if (rev == 0) {
        return;
    }
    for (ranks->count++; at > 0 && ranks->revs[at - 1] > rev; at--) {
        ranks->revs[at] = ranks->revs[at - 1];
    }
    ranks->revs[at] = rev;
}

static unsigned rank_of(const struct ranks *ranks, uint64_t rev)
{
    for (unsigned i = 0; i < ranks->count; i++) {
        if (ranks->revs[i] == rev) {
            return i + 1;
        }
    }
    return 0;
}

#define RANK_BITS 4

static void note_revs(const struct world *world, struct ranks *ranks)
{
    ranks->count = 0;
    if (!world_has_seats(world)) {
        return;
    }
    note_rev(ranks, world->rev);
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world->clients[i];
        note_rev(ranks, client->seated ? client->seat_rev : 0);
        note_rev(ranks, client->held);
        note_rev(ranks, client->coming);
    }
}

/* The store's and the stale roomd's seats are kept where they may make a difference only. */
static uint64_t pack_client(const struct client *client, const struct ranks *ranks)
{
    uint64_t word = 0;
    if (world_fence) {
        put(&word, client->stale_message, 3);
    } else {
        put(&word, client->stored_session, 2);
        put(&word, client->stale_message, 3);
        put(&word, client->stale_session, 2);
        put(&word, client->stale_away, 1);
    }
    put(&word, client->waiting, 1);
    if (world_fence) { /* without it seats are not looked at */
        put(&word, rank_of(ranks, client->coming), RANK_BITS);
        put(&word, rank_of(ranks, client->held), RANK_BITS);
        put(&word, client->seated ? rank_of(ranks, client->seat_rev) : 0, RANK_BITS);
    }
    put(&word, inbox_that_matters(client), 3 * (TO_CLIENT_MAX + 1));
    put(&word, client->taken, 3 * TAKEN_MAX);
    put(&word, client->to_roomd, 3 * (TO_ROOMD_MAX + TAKEN_MAX));
    put(&word, client->away, 1);
    put(&word, client->seated ? client->seat_session : 0, 2);
    put(&word, client->view, 2);
    put(&word, client->late_will, 1);
    put(&word, client->connected, 1);
    put(&word, client->session, 2);
    return word;
}

static void unpack_client(uint64_t word, unsigned apart, struct client *client)
{
    client->session = get(&word, 2);
    client->connected = get(&word, 1);
    client->late_will = get(&word, 1);
    client->view = get(&word, 2);
    client->seat_session = get(&word, 2);
    client->seated = client->seat_session != 0;
    client->away = get(&word, 1);
    client->to_roomd = get(&word, 3 * (TO_ROOMD_MAX + TAKEN_MAX));
    client->taken = get(&word, 3 * TAKEN_MAX);
    client->to_client = get(&word, 3 * (TO_CLIENT_MAX + 1));
    client->seat_rev = client->held = client->coming = 0;
    if (world_fence) {
        client->seat_rev = (uint64_t)apart * get(&word, RANK_BITS);
        client->held = (uint64_t)apart * get(&word, RANK_BITS);
        client->coming = (uint64_t)apart * get(&word, RANK_BITS);
    }
    client->waiting = get(&word, 1);
    client->stale_session = 0;
    client->stale_away = false;
    if (world_fence) {
        client->stored_session = client->seat_session;
        client->stale_message = get(&word, 3);
    } else {
        client->stale_away = get(&word, 1);
        client->stale_session = get(&word, 2);
        client->stale_message = get(&word, 3);
        client->stored_session = get(&word, 2);
    }
}

void world_unpack(const struct packed *packed, unsigned apart, struct world *out)
{
    uint64_t rest = packed->rest;
    out->violation = NULL;
    out->budgets.losses = get(&rest, 4);
    out->budgets.crashes = get(&rest, 3);
    out->budgets.stores = get(&rest, 2);
    out->budgets.standbys = get(&rest, 2);
    out->stalled = get(&rest, 1);
    out->unknown = get(&rest, 1);
    out->reclaiming = get(&rest, 1);
    out->rev = (uint64_t)apart * get(&rest, RANK_BITS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        unpack_client(packed->part[i], apart, &out->clients[i]);
    }
}

struct packed world_pack(const struct world *world, unsigned char order[CLIENTS])
{
    struct packed packed = {.rest = 0};
    struct ranks ranks;
    note_revs(world, &ranks);
    for (unsigned char i = 0; i < CLIENTS; i++) { /* insertion sort, stable */
        uint64_t word = pack_client(&world->clients[i], &ranks);
        unsigned at = i;
        for (; at > 0 && packed.part[at - 1] < word; at--) {
            packed.part[at] = packed.part[at - 1];
            order[at] = order[at - 1];
        }
        packed.part[at] = word;
        order[at] = i;
    }
    put(&packed.rest, rank_of(&ranks, world->rev), RANK_BITS);
    put(&packed.rest, world->reclaiming, 1);
    put(&packed.rest, world->unknown, 1);
    put(&packed.rest, world->stalled, 1);
    put(&packed.rest, world->budgets.standbys, 2);
    put(&packed.rest, world->budgets.stores, 2);
    put(&packed.rest, world->budgets.crashes, 3);
    put(&packed.rest, world->budgets.losses, 4);
    return packed;
}

/* ---- printing ---- */

static void print_queue(FILE *out, const char *label, unsigned queue, const char *const words[])
{
    fprintf(out, "%s[", label);
    for (; queue != 0; queue >>= 3) {
        fprintf(out, "%s%s", words[queue & 7], queue >> 3 != 0 ? " " : "");
    }
    fprintf(out, "]");
}

void world_print(FILE *out, const struct world *world, const char names[CLIENTS])
{
    static const char *const to_roomd[] = {"",     "join1", "join2", "cut1",
                                           "cut2", "gone1", "gone2", "gone"};
    static const char *const to_client[] = {"",      "joined1", "joined2", "full1",
                                            "full2", "left",    "epoch",   "kicked"};
    static const char *const views[] = {"out", "asking", "in", "asking-again"};
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct client *client = &world->clients[i];
        if (client->session == 0) {
            continue;
        }
        fprintf(out, "      %c session %u %s %s", names[i], client->session, views[client->view],
                client->connected ? "connected" : "offline");
        print_queue(out, " -> ", client->to_roomd, to_roomd);
        print_queue(out, " <- ", client->to_client, to_client);
        if (client->seated) {
            fprintf(out, " seat: session %u%s", client->seat_session, client->away ? ", away" : "");
            if (client->seat_rev != 0) {
                fprintf(out, ", of rev %u", (unsigned)client->seat_rev);
            }
        }
        if (client->held != 0) {
            fprintf(out, " shows rev %u", (unsigned)client->held);
        }
        if (client->stale_message != 0) {
            fprintf(out, " stopped with: %s", to_roomd[client->stale_message]);
        }
        fprintf(out, "\n");
    }
    if (world->unknown || world->reclaiming) {
        fprintf(out, "      the room: %s\n", world->unknown ? "lost" : "back, for seats only");
    }
}
