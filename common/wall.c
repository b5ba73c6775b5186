#include "wall.h"

#include <stdlib.h>

void wall_read(struct wall *wall, int64_t wall_s, int64_t monotonic_ms)
{
    int64_t expected = wall->now_s + (monotonic_ms - wall->now_ms) / 1000;
    if (wall->now_s != 0 && llabs(wall_s - expected) >= WALL_JUMP_S) {
        unsigned i = wall->noted++ % WALL_JUMPS;
        wall->jumps[i].at_s = expected;
        wall->jumps[i].by_s = wall_s - expected;
    }
    wall->now_s = wall_s;
    wall->now_ms = monotonic_ms;
}

int64_t wall_since(const struct wall *wall, int64_t issued_at)
{
    int64_t now = wall->now_s, earliest = now;
    unsigned known = wall->noted < WALL_JUMPS ? wall->noted : WALL_JUMPS;
    for (unsigned back = 1; back <= known; back++) {
        /* The time before this jump and after the one before it: what the clock went through. */
        unsigned i = (wall->noted - back) % WALL_JUMPS, before = (i + WALL_JUMPS - 1) % WALL_JUMPS;
        int64_t from =
            back < known ? wall->jumps[before].at_s + wall->jumps[before].by_s : INT64_MIN;
        now -= wall->jumps[i].by_s;
        /* A clock that was set back goes through a time twice: this may have been either. */
        if (issued_at >= from && issued_at <= wall->jumps[i].at_s && now < earliest)
            earliest = now;
    }
    return earliest;
}
