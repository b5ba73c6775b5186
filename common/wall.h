/*
 * wall: the wall clock, and what it would say if nobody had set it.
 *
 * A token ends at a time of the wall clock. When that clock is set forward, by an hour or from 1970 to
 * today, every token would end at once, and with them the calls of all who reconnect. So a token is
 * judged by the clock that it was issued by: the wall clock of that time, carried on by the monotonic
 * clock. It lives as long as was meant. A clock that is set back ends nothing either: what was issued
 * before lives longer, by as much.
 *
 * Pure: the clocks are handed in.
 */
#ifndef PARLEY_WALL_H
#define PARLEY_WALL_H

#include <stdint.h>

/* A difference that is no drift, s. */
#define WALL_JUMP_S 2

/* Jumps that are remembered; of more the oldest are forgotten. */
#define WALL_JUMPS 128

/* All zero: a clock that has not been read yet. */
struct wall {
    int64_t now_s;  /* seconds since 1970, when it was last read */
    int64_t now_ms; /* the monotonic clock at that time */
    unsigned noted; /* jumps so far */
    struct {
        int64_t at_s; /* the clock before it was set, */
        int64_t by_s; /* and by how much it was: negative is back */
    } jumps[WALL_JUMPS];
};

/* Both clocks were just read: seconds since 1970, and monotonic milliseconds. */
void wall_read(struct wall *wall, int64_t wall_s, int64_t monotonic_ms);

/*
 * What time it is now, s, for something that was issued at `issued_at` by this clock: the time last
 * read, less what the clock was set forward by since then. Where the clock has shown `issued_at` more
 * than once, the time that is kindest to it.
 */
int64_t wall_since(const struct wall *wall, int64_t issued_at);

#endif
