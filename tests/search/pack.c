/* The world as 24 bytes, and as text; see world.h. */
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

#define BUDGET_SHIFT 56

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

static uint64_t pack_client(const struct client *client)
{
    uint64_t word = 0;
    put(&word, inbox_that_matters(client), 3 * (TO_CLIENT_MAX + 1));
    put(&word, client->taken, 3 * TAKEN_MAX);
    put(&word, client->to_roomd, 3 * (TO_ROOMD_MAX + TAKEN_MAX));
    put(&word, client->away, 1);
    put(&word, client->seat_session, 2);
    put(&word, client->seated, 1);
    put(&word, client->view, 2);
    put(&word, client->late_will, 1);
    put(&word, client->connected, 1);
    put(&word, client->session, 2);
    return word;
}

void world_unpack(const struct packed *packed, struct world *out)
{
    uint64_t budgets = packed->part[0] >> BUDGET_SHIFT;
    out->violation = NULL;
    out->losses = get(&budgets, 4);
    out->crashes = get(&budgets, 3);
    out->stalled = get(&budgets, 1);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &out->clients[i];
        uint64_t word = packed->part[i] & (((uint64_t)1 << BUDGET_SHIFT) - 1);
        client->session = get(&word, 2);
        client->connected = get(&word, 1);
        client->late_will = get(&word, 1);
        client->view = get(&word, 2);
        client->seated = get(&word, 1);
        client->seat_session = get(&word, 2);
        client->away = get(&word, 1);
        client->to_roomd = get(&word, 3 * (TO_ROOMD_MAX + TAKEN_MAX));
        client->taken = get(&word, 3 * TAKEN_MAX);
        client->to_client = get(&word, 3 * (TO_CLIENT_MAX + 1));
    }
}

struct packed world_pack(const struct world *world, unsigned char order[CLIENTS])
{
    struct packed packed;
    for (unsigned char i = 0; i < CLIENTS; i++) { /* insertion sort, stable */
        uint64_t word = pack_client(&world->clients[i]);
        unsigned at = i;
        for (; at > 0 && packed.part[at - 1] < word; at--) {
            packed.part[at] = packed.part[at - 1];
            order[at] = order[at - 1];
        }
        packed.part[at] = word;
        order[at] = i;
    }
    packed.part[0] |=
        (uint64_t)((unsigned)world->stalled << 7 | world->crashes << 4 | world->losses)
        << BUDGET_SHIFT;
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
                                            "full2", "left",    "epoch"};
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
        }
        fprintf(out, "\n");
    }
}
