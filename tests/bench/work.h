/*
 * work: what is done with peers, the same for every system. Each function does it, prints what it
 * took (report.h), and returns whether all of it went as it has to; a failure is said on standard
 * error.
 */
#ifndef PARLEY_BENCH_WORK_H
#define PARLEY_BENCH_WORK_H

#include "peer.h"
#include "report.h"

struct bench {
    struct net net;
    struct target target;
    struct procs procs;
    unsigned next_room; /* bench-N and up are used by nobody yet */
    unsigned next_peer; /* even: the two of a pair differ in the last bit */
    unsigned batches;   /* messages that ten candidates come in, where they travel together */
    struct idle *idle;  /* who stays until the end; NULL: nobody */
    int64_t moved;      /* when the work last went on, ns */
    const char *fault;  /* why it cannot go on; NULL: it can */
};

/* Makes rooms bench-0 to bench-(count - 1), each at its broker, as a device does: Parley only. */
bool work_rooms(struct bench *bench, unsigned count);

/* Connects `count` peers (a few at a time), which stay until work_idle_end: one that is lost is a
 * fault of whatever is done meanwhile. `in_calls`: two of them join each of the next rooms. Once
 * only. */
bool work_idle(struct bench *bench, unsigned count, bool in_calls);
void work_idle_end(struct bench *bench);

/* Does nothing for `seconds`, or until standard input ends: what those cost who are idle. */
bool work_stay(struct bench *bench, unsigned seconds);

struct call_load {
    unsigned count;   /* calls */
    unsigned at_once; /* of them */
    unsigned rooms;   /* that they take turns in; `at_once` at least */
    bool kept;        /* each pair connects once, before; else for each call, by ids of its own */
};

/*
 * Calls: both connect, join, offer, answer, ten candidates each way, both leave. A sample is the
 * time until both have all that they need of the other.
 */
bool work_calls(struct bench *bench, const struct call_load *load);

/* `count` messages of 3 KB from one to the other, one after the other: a sample is the way of one.
 */
bool work_relay(struct bench *bench, unsigned count);

/* Messages of 3 KB between `pairs` for `seconds`, some under way for each pair at any time: how
 * many came. */
bool work_flood(struct bench *bench, unsigned pairs, unsigned seconds);

/* `count` connects, `at_once` at a time, each closed again once it is let in. A sample is the time
 * until then. */
bool work_connects(struct bench *bench, unsigned count, unsigned at_once);

/* ---- what they share ---- */

#define SDP_BYTES       3072
#define CANDIDATES_EACH 10

/* SDP_BYTES of an SDP, as a JSON string holds it. */
const char *work_sdp(void);

/* `count` candidates, as a JSON array holds them: the whole of *len bytes, which the callee owns.
 */
const char *work_candidates(unsigned count, size_t *len);

/* What every peer's `saw` begins with: the work goes on, or with SAW_LOST it cannot. */
void work_saw(struct bench *bench, const struct peer *peer, enum saw what);

/* Turns the loop until done(ctx). False, and says why, when `what` cannot go on, or has not gone on
 * for long. */
bool work_until(struct bench *bench, bool (*done)(void *ctx), void *ctx, const char *what);

/* For work_until: what those who are idle have to say to stay. */
void work_idle_keep(struct idle *idle);

/* The name of room `index`. */
void work_room_name(unsigned index, char out[static ROOM_ID_MAX + 1]);

#endif
