#include "conns.h"

#include <stdlib.h>

static const int64_t lane_ms[CONNS_LANES] = {
    [CONNS_RECEIVE] = CONNS_RECEIVE_MS,
    [CONNS_ANSWER] = CONNS_ANSWER_MS,
};

void conns_init(struct conns *conns)
{
    *conns = (struct conns){0};
    for (int lane = 0; lane < CONNS_LANES; lane++)
        TAILQ_INIT(&conns->lanes[lane]);
    TAILQ_INIT(&conns->cut);
}

static struct conn_list *list_of(struct conns *conns, const struct conn *conn)
{
    return conn->deadline == INT64_MAX ? &conns->cut : &conns->lanes[conn->lane];
}

static void enter(struct conns *conns, struct conn *conn, enum conns_lane lane, int64_t now)
{
    conn->lane = lane;
    conn->deadline = now + lane_ms[lane];
    TAILQ_INSERT_TAIL(&conns->lanes[lane], conn, in_lane);
}

struct conn *conns_add(struct conns *conns, int fd, int64_t now)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    conn->fd = fd;
    enter(conns, conn, CONNS_RECEIVE, now);
    conns->count++;
    return conn;
}

void conns_remove(struct conns *conns, struct conn *conn)
{
    if (!conn)
        return;
    TAILQ_REMOVE(list_of(conns, conn), conn, in_lane);
    conns->count--;
    free(conn);
}

void conns_move(struct conns *conns, struct conn *conn, enum conns_lane lane, int64_t now)
{
    if (conn->deadline == INT64_MAX)
        return;
    TAILQ_REMOVE(&conns->lanes[conn->lane], conn, in_lane);
    enter(conns, conn, lane, now);
}

struct conn *conns_expire(struct conns *conns, int64_t now)
{
    for (int lane = 0; lane < CONNS_LANES; lane++) {
        struct conn *first = TAILQ_FIRST(&conns->lanes[lane]);
        if (first && first->deadline <= now) {
            TAILQ_REMOVE(&conns->lanes[lane], first, in_lane);
            first->deadline = INT64_MAX;
            TAILQ_INSERT_TAIL(&conns->cut, first, in_lane);
            return first;
        }
    }
    return NULL;
}

int64_t conns_deadline(const struct conns *conns)
{
    int64_t deadline = INT64_MAX;
    for (int lane = 0; lane < CONNS_LANES; lane++) {
        const struct conn *first = TAILQ_FIRST(&conns->lanes[lane]);
        if (first && first->deadline < deadline)
            deadline = first->deadline;
    }
    return deadline;
}
