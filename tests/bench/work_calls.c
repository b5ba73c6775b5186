#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two peers with a room of their own. */
struct pair {
    struct calls *calls;
    struct peer peers[2];
    char room[ROOM_ID_MAX + 1];
    bool in_call;
    bool is_up;      /* both have all that they need */
    int64_t started; /* ns */
    struct {
        bool is_open, has_answer, is_leaving, has_left;
        unsigned candidates; /* messages of them that came */
    } seen[2];
};

struct calls {
    struct bench *bench;
    const struct call_load *load;
    struct pair *pairs;
    struct pair **active; /* load->at_once of them */
    unsigned next_pair;
    unsigned started, ended;
    unsigned messages; /* that ten candidates come in */
    struct samples samples;
};

static unsigned index_of(const struct pair *pair, const struct peer *peer)
{
    return peer == &pair->peers[1];
}

static void send_candidates(struct pair *pair, struct peer *peer)
{
    const struct calls *calls = pair->calls;
    size_t len;
    for (unsigned i = 0; i < calls->messages; i++) {
        const char *body = work_candidates(CANDIDATES_EACH / calls->messages, &len);
        peer->target->dialect->signal(peer, SIGNAL_CANDIDATES, body, len);
    }
}

static void send_offer(struct pair *pair, struct peer *peer)
{
    peer->target->dialect->signal(peer, SIGNAL_OFFER, work_sdp(), SDP_BYTES);
    send_candidates(pair, peer);
}

static void leave(struct pair *pair, struct peer *peer)
{
    bool *is_leaving = &pair->seen[index_of(pair, peer)].is_leaving;
    if (*is_leaving)
        return;
    *is_leaving = true;
    peer->target->dialect->leave(peer);
}

static void look_whether_up(struct pair *pair)
{
    struct calls *calls = pair->calls;
    if (pair->is_up || !(pair->seen[0].has_answer || pair->seen[1].has_answer) ||
        pair->seen[0].candidates < calls->messages || pair->seen[1].candidates < calls->messages)
        return;
    pair->is_up = true;
    samples_add(&calls->samples, monotonic_ns() - pair->started);
    leave(pair, &pair->peers[pair->seen[1].has_answer]);
}

static void on_open(struct pair *pair, struct peer *peer)
{
    const struct dialect *dialect = peer->target->dialect;
    pair->seen[index_of(pair, peer)].is_open = true;
    if (!pair->in_call)
        return;
    dialect->join(peer);
    /* Without rooms somebody has to know that both are there; the server keeps the offer until they
     * are. */
    if (!dialect->has_rooms && peer == &pair->peers[1])
        send_offer(pair, peer);
}

static void on_saw(struct peer *peer, enum saw what)
{
    struct pair *pair = peer->ctx;
    unsigned index = index_of(pair, peer);
    work_saw(pair->calls->bench, peer, what);
    switch (what) {
    case SAW_OPEN:
        on_open(pair, peer);
        break;
    case SAW_ARRIVED:
        send_offer(pair, peer);
        break;
    case SAW_OFFER:
        peer->target->dialect->signal(peer, SIGNAL_ANSWER, work_sdp(), SDP_BYTES);
        send_candidates(pair, peer);
        break;
    case SAW_ANSWER:
        pair->seen[index].has_answer = true;
        look_whether_up(pair);
        break;
    case SAW_CANDIDATES:
        pair->seen[index].candidates++;
        look_whether_up(pair);
        break;
    case SAW_CUT:
        leave(pair, peer);
        break;
    case SAW_LEFT:
        pair->seen[index].has_left = true;
        break;
    case SAW_JOINED:
    case SAW_LOST:
        break;
    }
}

/* ---- one call after the other ---- */

static void open_peers(struct pair *pair)
{
    struct bench *bench = pair->calls->bench;
    for (unsigned i = 0; i < 2; i++) {
        struct peer *peer = &pair->peers[i];
        peer_free(peer);
        peer_init(peer, &bench->net, &bench->target, bench->next_peer++, pair->room);
        peer->saw = on_saw;
        peer->ctx = pair;
        peer_open(peer);
    }
}

static void start(struct pair *pair)
{
    struct calls *calls = pair->calls;
    const struct dialect *dialect = calls->bench->target.dialect;
    calls->started++;
    pair->in_call = true;
    pair->is_up = false;
    for (unsigned i = 0; i < 2; i++) {
        bool is_open = pair->seen[i].is_open;
        memset(&pair->seen[i], 0, sizeof pair->seen[i]);
        pair->seen[i].is_open = is_open && calls->load->kept;
    }
    pair->started = monotonic_ns();
    if (!calls->load->kept) {
        open_peers(pair);
        return;
    }
    dialect->join(&pair->peers[0]);
    dialect->join(&pair->peers[1]);
    if (!dialect->has_rooms)
        send_offer(pair, &pair->peers[1]);
}

/* Not in the middle of an event: a peer that is opened anew is another. */
static void end_if_over(struct pair *pair)
{
    struct calls *calls = pair->calls;
    if (!pair->in_call || !pair->is_up || !pair->seen[0].has_left || !pair->seen[1].has_left)
        return;
    pair->in_call = false;
    calls->ended++;
    for (unsigned i = 0; i < 2 && !calls->load->kept; i++)
        peer_close(&pair->peers[i]);
}

static struct pair *next_pair(struct calls *calls)
{
    struct pair *pair;
    do {
        pair = &calls->pairs[calls->next_pair++ % calls->load->rooms];
    } while (pair->in_call);
    return pair;
}

/* Ends the calls that are over, and starts others in their place. Whether all have ended. */
static bool go_on(void *ctx)
{
    struct calls *calls = ctx;
    for (unsigned i = 0; i < calls->load->at_once; i++) {
        if (calls->active[i])
            end_if_over(calls->active[i]);
        if (calls->active[i] && calls->active[i]->in_call)
            continue;
        calls->active[i] = NULL;
        if (calls->started < calls->load->count) {
            calls->active[i] = next_pair(calls);
            start(calls->active[i]);
        }
    }
    return calls->ended == calls->load->count;
}

static bool is_pair_open(void *ctx)
{
    const struct pair *pair = ctx;
    return pair->seen[0].is_open && pair->seen[1].is_open;
}

static void make_pairs(struct calls *calls)
{
    calls->pairs = calloc(calls->load->rooms, sizeof *calls->pairs);
    if (!calls->pairs)
        abort();
    for (unsigned i = 0; i < calls->load->rooms; i++) {
        struct pair *pair = &calls->pairs[i];
        work_room_name(calls->bench->next_room++, pair->room);
        pair->calls = calls;
        pair->peers[0].conn.fd = pair->peers[1].conn.fd = -1;
    }
}

static bool connect_pairs(struct calls *calls)
{
    for (unsigned i = 0; i < calls->load->rooms; i++) {
        struct pair *pair = &calls->pairs[i];
        open_peers(pair);
        if (!work_until(calls->bench, is_pair_open, pair, "calls: connects"))
            return false;
    }
    return true;
}

bool work_calls(struct bench *bench, const struct call_load *load)
{
    struct calls calls = {.bench = bench, .load = load};
    bool fine = false;
    calls.messages = bench->target.dialect->has_batches ? bench->batches : CANDIDATES_EACH;
    calls.active = calloc(load->at_once, sizeof *calls.active);
    if (!calls.active)
        abort();
    make_pairs(&calls);
    if (!load->kept || connect_pairs(&calls)) {
        struct stretch begin = stretch_begin(&bench->procs);
        fine = work_until(bench, go_on, &calls, "calls");
        if (fine)
            stretch_print(&begin, &bench->procs, load->kept ? "calls-kept" : "calls", load->count,
                          &calls.samples);
    }
    for (unsigned i = 0; i < load->rooms; i++) {
        for (unsigned j = 0; j < 2; j++) {
            peer_close(&calls.pairs[i].peers[j]);
            peer_free(&calls.pairs[i].peers[j]);
        }
    }
    samples_free(&calls.samples);
    free(calls.active);
    free(calls.pairs);
    return fine;
}
