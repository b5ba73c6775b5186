/*
 * net: the load generator's connections, all in one epoll loop.
 *
 * A connection is made without blocking, has Nagle's algorithm off, and sends at once what is
 * written to it, as a browser does.
 */
#ifndef PARLEY_BENCH_NET_H
#define PARLEY_BENCH_NET_H

#include "buffer.h"

#include <stdbool.h>

struct net {
    int epoll;
};

struct conn;

struct conn_events {
    void (*open)(struct conn *conn);  /* connected: the place to say hello */
    void (*input)(struct conn *conn); /* more bytes in conn->in: takes those that are whole */
    void (*lost)(struct conn *conn, const char *why); /* ended by the other side, or never made */
};

/* All zero is a closed one with fd 0: conn_open sets everything. Lives in its owner, and may not
 * move while it is open. */
struct conn {
    struct net *net;
    const struct conn_events *events;
    int fd; /* -1 once it is closed */
    bool is_open;
    bool wants_write;
    struct buffer in, out;
};

/* Ends the process when there is no descriptor for it. */
void net_init(struct net *net);
void net_clear(struct net *net);

/* Begins to connect to 127.0.0.1. Ends the process when there is no descriptor or port left. */
void conn_open(struct conn *conn, struct net *net, const struct conn_events *events, unsigned port);

void conn_write(struct conn *conn, const void *bytes, size_t len);

/* Closes at once, without an event; what was not written yet is dropped. Fine for one that is
 * closed. */
void conn_close(struct conn *conn);

/* Waits up to `wait_ms` for something, and handles all that is there. */
void net_turn(struct net *net, int wait_ms);

#endif
