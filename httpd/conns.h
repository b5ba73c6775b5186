/*
 * conns: an absolute deadline for every connection, against clients that drip.
 *
 * libmicrohttpd's own time-out starts anew with every byte. Here a connection is in one of two
 * lanes: a whole request has to arrive within CONNS_RECEIVE_MS of the connection's start or of the
 * last answer's end, and its answer has to be away within CONNS_ANSWER_MS. In a lane all waits are
 * of one length, so a queue keeps them in order.
 */
#ifndef PARLEY_HTTPD_CONNS_H
#define PARLEY_HTTPD_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* An honest request takes a second over a bad line; 9 s keep an idle connection worth reusing, and
 * none over 10. */
#define CONNS_RECEIVE_MS 9000
/* Longer than everything an answer may wait for (a ring: 2 s for a room and 10 s for the device),
 * and time to send a page over a bad line. */
#define CONNS_ANSWER_MS 30000

enum conns_lane { CONNS_RECEIVE, CONNS_ANSWER, CONNS_LANES };

struct conn {
    TAILQ_ENTRY(conn) in_lane;
    enum conns_lane lane;
    int64_t deadline; /* INT64_MAX once it is cut */
    int fd;
    bool over_limit; /* its address opens too many: what it asks is refused */
};

TAILQ_HEAD(conn_list, conn);

struct conns {
    struct conn_list lanes[CONNS_LANES];
    struct conn_list cut; /* told to end, not ended yet */
    size_t count;
};

void conns_init(struct conns *conns);

/* A new connection on socket `fd`, in the lane CONNS_RECEIVE. NULL when there is no memory. Ended
 * by conns_remove. */
struct conn *conns_add(struct conns *conns, int fd, int64_t now);
void conns_remove(struct conns *conns, struct conn *conn);

/* Moves a connection to a lane, with a fresh deadline; one that is cut stays cut. */
void conns_move(struct conns *conns, struct conn *conn, enum conns_lane lane, int64_t now);

/* The next connection whose deadline has passed, or NULL. It is cut by this: the caller shuts its
 * socket down, once. */
struct conn *conns_expire(struct conns *conns, int64_t now);

/* The next deadline, or INT64_MAX. */
int64_t conns_deadline(const struct conns *conns);

#endif
