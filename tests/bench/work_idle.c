#include "work.h"

#include <stdio.h>
#include <stdlib.h>

/* Connects under way at a time: a listener's backlog holds more. */
#define CONNECTING_MOST 64

/* ---- peers who are there and do nothing ---- */

struct idle {
    struct bench *bench;
    struct peer *peers;
    unsigned count, opened, open;
    const char *fault;
};

static void on_idle_saw(struct peer *peer, enum saw what)
{
    struct idle *idle = peer->ctx;
    if (what == SAW_OPEN)
        idle->open++;
    else if (what == SAW_LOST)
        idle->fault = peer->why;
}

static bool open_more(void *ctx)
{
    struct idle *idle = ctx;
    while (idle->opened < idle->count && idle->opened - idle->open < CONNECTING_MOST)
        peer_open(&idle->peers[idle->opened++]);
    return idle->fault || idle->open == idle->count;
}

/* However many they are, it is a stall only when none comes for long. */
static bool open_all(struct idle *idle)
{
    while (!idle->fault && idle->open < idle->count) {
        unsigned before = idle->open;
        if (!work_until(idle->bench, open_more, idle, "idle peers") && idle->open == before)
            return false;
    }
    return !idle->fault;
}

struct idle *work_idle(struct bench *bench, unsigned count)
{
    struct idle *idle = calloc(1, sizeof *idle);
    struct stretch begin = stretch_begin(&bench->procs);
    if (!idle)
        abort();
    *idle =
        (struct idle){.bench = bench, .count = count, .peers = calloc(count, sizeof(struct peer))};
    if (!idle->peers)
        abort();
    for (unsigned i = 0; i < count; i++) {
        char room[ROOM_ID_MAX + 1];
        snprintf(room, sizeof room, "idle-%u", i / 2);
        peer_init(&idle->peers[i], &bench->net, &bench->target, bench->next_peer++, room);
        idle->peers[i].saw = on_idle_saw;
        idle->peers[i].ctx = idle;
    }
    if (open_all(idle)) {
        stretch_print(&begin, &bench->procs, "idle", count, NULL);
        return idle;
    }
    fprintf(stderr, "loadgen: idle peers: %s, after %u of %u\n",
            idle->fault ? idle->fault : "stalled", idle->open, count);
    work_idle_end(idle);
    return NULL;
}

void work_idle_end(struct idle *idle)
{
    if (!idle)
        return;
    for (unsigned i = 0; i < idle->count; i++) {
        peer_close(&idle->peers[i]);
        peer_free(&idle->peers[i]);
    }
    free(idle->peers);
    free(idle);
}

/* ---- one connect after the other ---- */

struct connects {
    struct bench *bench;
    struct peer *peers;
    unsigned at_once, to_start, ended;
    int64_t *started; /* ns, one a peer; 0: it is closed */
    bool *is_open;
    struct samples samples;
    const char *fault;
};

static void on_connect_saw(struct peer *peer, enum saw what)
{
    struct connects *connects = peer->ctx;
    size_t index = (size_t)(peer - connects->peers);
    if (what == SAW_OPEN) {
        samples_add(&connects->samples, monotonic_ns() - connects->started[index]);
        connects->is_open[index] = true;
    } else if (what == SAW_LOST) {
        connects->fault = peer->why;
    }
}

static void connect_again(struct connects *connects, unsigned index)
{
    struct bench *bench = connects->bench;
    struct peer *peer = &connects->peers[index];
    if (connects->is_open[index]) {
        connects->is_open[index] = false;
        connects->started[index] = 0;
        connects->ended++;
        peer_close(peer);
    }
    if (connects->started[index] || connects->to_start == 0)
        return;
    connects->to_start--;
    peer_free(peer);
    peer_init(peer, &bench->net, &bench->target, bench->next_peer++, "bench-0");
    peer->saw = on_connect_saw;
    peer->ctx = connects;
    connects->started[index] = monotonic_ns();
    peer_open(peer);
}

bool work_connects(struct bench *bench, unsigned count, unsigned at_once)
{
    struct connects connects = {.bench = bench, .at_once = at_once, .to_start = count};
    connects.peers = calloc(at_once, sizeof *connects.peers);
    connects.started = calloc(at_once, sizeof *connects.started);
    connects.is_open = calloc(at_once, sizeof *connects.is_open);
    if (!connects.peers || !connects.started || !connects.is_open)
        abort();
    for (unsigned i = 0; i < at_once; i++)
        connects.peers[i].conn.fd = -1;
    struct stretch begin = stretch_begin(&bench->procs);
    int64_t end = monotonic_ns() + (int64_t)WORK_STALLS_MS * 1000000;
    while (connects.ended < count && !connects.fault && monotonic_ns() < end) {
        for (unsigned i = 0; i < at_once; i++)
            connect_again(&connects, i);
        net_turn(&bench->net, 100);
    }
    bool fine = connects.ended == count;
    if (fine)
        stretch_print(&begin, &bench->procs, "connects", count, &connects.samples);
    else
        fprintf(stderr, "loadgen: connects: %s, after %u of %u\n",
                connects.fault ? connects.fault : "too slow", connects.ended, count);
    for (unsigned i = 0; i < at_once; i++)
        peer_free(&connects.peers[i]);
    samples_free(&connects.samples);
    free(connects.peers);
    free(connects.started);
    free(connects.is_open);
    return fine;
}
