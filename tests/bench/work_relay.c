#include "work.h"

#include <stdio.h>
#include <stdlib.h>

#define FLOOD_UNDER_WAY 8 /* messages, for each pair */

/* A pair in a call: both in the room, which is what lets them write to each other. */
struct link_up {
    struct relay *relay;
    struct peer peers[2];
    unsigned in;     /* how many are there, and in the room if there is one */
    int64_t sent_at; /* ns */
    bool has_left[2];
};

struct relay {
    struct bench *bench;
    struct link_up *pairs;
    unsigned count;
    unsigned wanted; /* messages still to be sent, one after the other; 0: as many as there is time
                        for */
    unsigned under_way; /* for each pair */
    size_t sent, came;
    int64_t ends; /* of a flood, ns */
    bool is_over;
    struct samples samples;
};

static void send_one(struct link_up *pair)
{
    struct peer *peer = &pair->peers[0];
    pair->sent_at = monotonic_ns();
    pair->relay->sent++;
    /* As an offer; its quality of service is the target's. */
    peer->target->dialect->signal(peer, SIGNAL_OFFER, work_sdp(), SDP_BYTES);
}

static void on_came(struct link_up *pair)
{
    struct relay *relay = pair->relay;
    relay->came++;
    if (relay->under_way == 1)
        samples_add(&relay->samples, monotonic_ns() - pair->sent_at);
    if (!relay->is_over && (relay->wanted == 0 || relay->came < relay->wanted))
        send_one(pair);
}

static void on_saw(struct peer *peer, enum saw what)
{
    struct link_up *pair = peer->ctx;
    work_saw(pair->relay->bench, peer, what);
    switch (what) {
    case SAW_OPEN:
        peer->target->dialect->join(peer);
        pair->in += !peer->target->dialect->has_rooms;
        break;
    case SAW_JOINED:
        pair->in++;
        break;
    case SAW_OFFER:
        on_came(pair);
        break;
    case SAW_LEFT:
        pair->has_left[peer == &pair->peers[1]] = true;
        break;
    default:
        break;
    }
}

static bool is_up(void *ctx)
{
    const struct link_up *pair = ctx;
    return pair->in == 2;
}

static void make_pairs(struct relay *relay)
{
    struct bench *bench = relay->bench;
    relay->pairs = calloc(relay->count, sizeof *relay->pairs);
    if (!relay->pairs)
        abort();
    for (unsigned i = 0; i < relay->count; i++) {
        struct link_up *pair = &relay->pairs[i];
        char room[ROOM_ID_MAX + 1];
        pair->relay = relay;
        work_room_name(bench->next_room++, room);
        for (unsigned j = 0; j < 2; j++) {
            peer_init(&pair->peers[j], &bench->net, &bench->target, bench->next_peer++, room);
            pair->peers[j].saw = on_saw;
            pair->peers[j].ctx = pair;
        }
    }
}

static bool open_pairs(struct relay *relay)
{
    for (unsigned i = 0; i < relay->count; i++) {
        struct link_up *pair = &relay->pairs[i];
        peer_open(&pair->peers[0]);
        peer_open(&pair->peers[1]);
        if (!work_until(relay->bench, is_up, pair, "relay: a pair"))
            return false;
    }
    return true;
}

static bool has_ended(void *ctx)
{
    return monotonic_ns() >= ((const struct relay *)ctx)->ends;
}

static bool have_come(void *ctx)
{
    const struct relay *relay = ctx;
    return relay->came == relay->sent;
}

static bool have_left(void *ctx)
{
    const struct relay *relay = ctx;
    for (unsigned i = 0; i < relay->count; i++) {
        if (!relay->pairs[i].has_left[0] || !relay->pairs[i].has_left[1])
            return false;
    }
    return true;
}

/* A room is empty only when both have said so: whoever just goes may come back for a while. Not
 * before all is there: what comes for one who has left is refused. */
static bool leave(struct relay *relay)
{
    if (!work_until(relay->bench, have_come, relay, "relay: the last"))
        return false;
    for (unsigned i = 0; i < relay->count; i++) {
        for (unsigned j = 0; j < 2; j++) {
            struct peer *peer = &relay->pairs[i].peers[j];
            peer->target->dialect->leave(peer);
        }
    }
    return work_until(relay->bench, have_left, relay, "relay: leaving");
}

static void close_pairs(struct relay *relay)
{
    for (unsigned i = 0; i < relay->count; i++) {
        for (unsigned j = 0; j < 2; j++) {
            peer_close(&relay->pairs[i].peers[j]);
            peer_free(&relay->pairs[i].peers[j]);
        }
    }
    samples_free(&relay->samples);
    free(relay->pairs);
}

bool work_relay(struct bench *bench, unsigned count)
{
    struct relay relay = {.bench = bench, .count = 1, .wanted = count, .under_way = 1};
    make_pairs(&relay);
    bool fine = open_pairs(&relay);
    if (fine) {
        struct stretch start = stretch_begin(&bench->procs);
        send_one(&relay.pairs[0]);
        fine = work_until(bench, have_come, &relay, "relay");
        if (fine)
            stretch_print(&start, &bench->procs, "relay", count, &relay.samples);
    }
    fine = fine && leave(&relay);
    close_pairs(&relay);
    return fine;
}

bool work_flood(struct bench *bench, unsigned pairs, unsigned seconds)
{
    struct relay relay = {.bench = bench, .count = pairs, .under_way = FLOOD_UNDER_WAY};
    make_pairs(&relay);
    bool fine = open_pairs(&relay);
    if (fine) {
        struct stretch start = stretch_begin(&bench->procs);
        relay.ends = start.wall_ns + (int64_t)seconds * 1000000000;
        for (unsigned i = 0; i < pairs * FLOOD_UNDER_WAY; i++)
            send_one(&relay.pairs[i % pairs]);
        fine = work_until(bench, has_ended, &relay, "flood");
        relay.is_over = true;
        if (fine)
            stretch_print(&start, &bench->procs, "flood", relay.came, NULL);
    }
    fine = fine && leave(&relay);
    close_pairs(&relay);
    return fine;
}
