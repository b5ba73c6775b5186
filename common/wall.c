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
        unsigned i = (wall->noted - back) % WALL_JUMPS;
        if (issued_at > wall->jumps[i].at_s)
            break;
        /* Of a clock that was set back nobody can tell whether this was issued before or after. */
        now -= wall->jumps[i].by_s;
        earliest = now < earliest ? now : earliest;
    }
    return earliest;
}
