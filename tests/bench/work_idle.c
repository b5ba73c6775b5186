#include "work.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Connects under way at a time: a listener's backlog holds more. */
#define CONNECTING_MOST 64

/* How often each says that it is there, ns: PeerJS's server puts out who is silent for 90 s, and
 * all have to be open before the first speaks again. */
#define PING_EVERY_NS INT64_C(30000000000)

/* ---- peers who are there and do nothing ---- */

struct idle {
    struct bench *bench;
    struct peer *peers;
    bool in_calls;
    unsigned count, opened, open; /* `open`: in their calls, where they are to be */
    int64_t since;                /* all are open, ns */
    int64_t pings;                /* sent since */
};

static void on_idle_saw(struct peer *peer, enum saw what)
{
    struct idle *idle = peer->ctx;
    work_saw(idle->bench, peer, what);
    idle->open += what == (idle->in_calls ? SAW_JOINED : SAW_OPEN);
    if (what == SAW_OPEN && idle->in_calls)
        peer->target->dialect->join(peer);
    if (what == SAW_LOST && idle->since > 0)
        idle->bench->fault = "an idle peer is lost";
}

/* One after the other, in the order in which they were opened. */
void work_idle_keep(struct idle *idle)
{
    const struct dialect *dialect = idle->bench->target.dialect;
    if (idle->since == 0 || !dialect->ping)
        return;
    const int64_t due = (monotonic_ns() - idle->since) * idle->count / PING_EVERY_NS;
    while (idle->pings < due)
        dialect->ping(&idle->peers[idle->pings++ % idle->count]);
}

static bool open_more(void *ctx)
{
    struct idle *idle = ctx;
    while (idle->opened < idle->count && idle->opened - idle->open < CONNECTING_MOST)
        peer_open(&idle->peers[idle->opened++]);
    return idle->open == idle->count;
}

static void name_room(struct idle *idle, unsigned pair, char out[static ROOM_ID_MAX + 1])
{
    if (idle->in_calls)
        work_room_name(idle->bench->next_room + pair, out);
    else
        snprintf(out, ROOM_ID_MAX + 1, "idle-%u", pair);
}

bool work_idle(struct bench *bench, unsigned count, bool in_calls)
{
    struct stretch begin = stretch_begin(&bench->procs);
    struct idle *idle = calloc(1, sizeof *idle);
    if (!idle)
        abort();
    *idle = (struct idle){.bench = bench,
                          .in_calls = in_calls,
                          .count = count,
                          .peers = calloc(count, sizeof(struct peer))};
    if (!idle->peers)
        abort();
    bench->idle = idle;
    for (unsigned i = 0; i < count; i++) {
        char room[ROOM_ID_MAX + 1];
        name_room(idle, i / 2, room);
        peer_init(&idle->peers[i], &bench->net, &bench->target, bench->next_peer++, room);
        idle->peers[i].saw = on_idle_saw;
        idle->peers[i].ctx = idle;
    }
    if (!work_until(bench, open_more, idle, "idle peers"))
        return false;
    idle->since = monotonic_ns();
    bench->next_room += in_calls ? count / 2 : 0;
    stretch_print(&begin, &bench->procs, in_calls ? "talks" : "idle", count, NULL);
    return true;
}

void work_idle_end(struct bench *bench)
{
    struct idle *idle = bench->idle;
    if (!idle)
        return;
    for (unsigned i = 0; i < idle->count; i++) {
        peer_close(&idle->peers[i]);
        peer_free(&idle->peers[i]);
    }
    free(idle->peers);
    free(idle);
    bench->idle = NULL;
}

struct stay {
    struct bench *bench;
    int64_t end; /* ns */
};

static bool has_stayed(void *ctx)
{
    struct stay *stay = ctx;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    stay->bench->moved = monotonic_ns();
    return stay->bench->moved >= stay->end ||
           (poll(&input, 1, 0) == 1 && read(STDIN_FILENO, &byte, 1) == 0);
}

bool work_stay(struct bench *bench, unsigned seconds)
{
    struct stretch begin = stretch_begin(&bench->procs);
    struct stay stay = {bench, monotonic_ns() + seconds * INT64_C(1000000000)};
    if (!work_until(bench, has_stayed, &stay, "those who stay"))
        return false;
    stretch_print(&begin, &bench->procs, "stay", bench->idle ? bench->idle->count : 0, NULL);
    return true;
}

/* ---- one connect after the other ---- */

struct connects {
    struct bench *bench;
    struct peer *peers;
    unsigned count, at_once, to_start, ended;
    int64_t *started; /* ns, one a peer; 0: it is closed */
    bool *is_open;
    struct samples samples;
};

static void on_connect_saw(struct peer *peer, enum saw what)
{
    struct connects *connects = peer->ctx;
    size_t index = (size_t)(peer - connects->peers);
    work_saw(connects->bench, peer, what);
    if (what == SAW_OPEN) {
        samples_add(&connects->samples, monotonic_ns() - connects->started[index]);
        connects->is_open[index] = true;
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

static bool connect_more(void *ctx)
{
    struct connects *connects = ctx;
    for (unsigned i = 0; i < connects->at_once; i++)
        connect_again(connects, i);
    return connects->ended == connects->count;
}

bool work_connects(struct bench *bench, unsigned count, unsigned at_once)
{
    struct connects connects = {
        .bench = bench, .count = count, .at_once = at_once, .to_start = count};
    connects.peers = calloc(at_once, sizeof *connects.peers);
    connects.started = calloc(at_once, sizeof *connects.started);
    connects.is_open = calloc(at_once, sizeof *connects.is_open);
    if (!connects.peers || !connects.started || !connects.is_open)
        abort();
    for (unsigned i = 0; i < at_once; i++)
        connects.peers[i].conn.fd = -1;
    struct stretch begin = stretch_begin(&bench->procs);
    bool fine = work_until(bench, connect_more, &connects, "connects");
    if (fine)
        stretch_print(&begin, &bench->procs, "connects", count, &connects.samples);
    for (unsigned i = 0; i < at_once; i++)
        peer_free(&connects.peers[i]);
    samples_free(&connects.samples);
    free(connects.peers);
    free(connects.started);
    free(connects.is_open);
    return fine;
}
