/*
 * websocket: the client's side of RFC 6455, as far as a load generator needs it: the handshake,
 * masked frames out, whole unfragmented frames in.
 */
#ifndef PARLEY_BENCH_WEBSOCKET_H
#define PARLEY_BENCH_WEBSOCKET_H

#include "net.h"

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Writes the handshake for `path`; `protocol` is the subprotocol that is asked for (NULL: none). */
void ws_hello(struct conn *conn, const char *path, const char *protocol);

/* Takes the server's answer out of conn->in. 1 once it is there and says 101, 0 while it is not
 * whole, -1 when it says something else. */
int ws_answer(struct conn *conn);

/* Writes one masked frame. */
void ws_write(struct conn *conn, enum ws_opcode opcode, const void *bytes, size_t len);

struct ws_frame {
    enum ws_opcode opcode;
    const char *bytes; /* in conn->in, until it is taken from there */
    size_t len;
    size_t whole; /* with its header: what to take from conn->in */
};

/* The first frame in conn->in, which stays there. False while it is not whole. */
bool ws_read(const struct conn *conn, struct ws_frame *out);

#endif
