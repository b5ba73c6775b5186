#include "peer.h"

#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_BYTES 512

/* ---- what the connection brings ---- */

static void on_open(struct conn *conn)
{
    struct peer *peer = (struct peer *)conn;
    const struct dialect *dialect = peer->target->dialect;
    char path[PATH_MAX_BYTES];
    if (!peer->target->is_websocket) {
        dialect->opened(peer);
        return;
    }
    dialect->path(peer, path, sizeof path);
    ws_hello(conn, path, dialect->subprotocol);
}

/* What one frame brought, behind what is left of those before it. */
static void take_frame(struct peer *peer, const char *bytes, size_t len)
{
    const struct dialect *dialect = peer->target->dialect;
    if (peer->stream.len > 0) {
        buffer_add(&peer->stream, bytes, len);
        bytes = peer->stream.bytes;
        len = peer->stream.len;
    }
    long taken = dialect->take(peer, bytes, len);
    if (taken < 0)
        peer_fail(peer, "what came is broken");
    else if (peer->conn.fd < 0)
        return;
    else if (peer->stream.len > 0)
        buffer_take(&peer->stream, (size_t)taken);
    else if ((size_t)taken < len)
        buffer_add(&peer->stream, bytes + taken, len - (size_t)taken);
}

static void take_frames(struct peer *peer)
{
    struct conn *conn = &peer->conn;
    struct ws_frame frame;
    if (!peer->is_upgraded) {
        int answer = ws_answer(conn);
        if (answer < 0)
            peer_fail(peer, "no WebSocket");
        if (answer <= 0)
            return;
        peer->is_upgraded = true;
        peer->target->dialect->opened(peer);
    }
    while (conn->fd >= 0 && ws_read(conn, &frame)) {
        if (frame.opcode == WS_TEXT || frame.opcode == WS_BINARY)
            take_frame(peer, frame.bytes, frame.len);
        else if (frame.opcode == WS_PING)
            ws_write(conn, WS_PONG, frame.bytes, frame.len);
        else if (frame.opcode == WS_CLOSE)
            peer_fail(peer, "the server closes");
        if (conn->fd >= 0)
            buffer_take(&conn->in, frame.whole);
    }
}

static void on_input(struct conn *conn)
{
    struct peer *peer = (struct peer *)conn;
    if (peer->target->is_websocket) {
        take_frames(peer);
        return;
    }
    long taken = peer->target->dialect->take(peer, conn->in.bytes, conn->in.len);
    if (taken < 0)
        peer_fail(peer, "what came is broken");
    else if (conn->fd >= 0)
        buffer_take(&conn->in, (size_t)taken);
}

static void on_lost(struct conn *conn, const char *why)
{
    struct peer *peer = (struct peer *)conn;
    peer->why = why;
    peer->saw(peer, SAW_LOST);
}

static const struct conn_events events = {.open = on_open, .input = on_input, .lost = on_lost};

/* ---- peers ---- */

static void name(const struct target *target, unsigned index, char out[static PEER_ID_MAX + 1])
{
    /* As long as httpd makes them. */
    snprintf(out, PEER_ID_MAX + 1, "%c-%08x%018u", target->has_devices ? 'd' : 'p',
             (unsigned)getpid(), index);
}

void peer_init(struct peer *peer, struct net *net, const struct target *target, unsigned index,
               const char *room)
{
    *peer = (struct peer){.net = net, .target = target, .conn = {.fd = -1}};
    name(target, index, peer->id);
    name(target, index ^ 1, peer->other);
    snprintf(peer->room, sizeof peer->room, "%s", room);
}

static unsigned port_of(const struct peer *peer)
{
    const struct target *target = peer->target;
    if (!target->parley)
        return target->port;
    unsigned index = config_broker_of_room(target->parley, peer->room);
    const struct config_broker *broker = &target->parley->brokers[index];
    return target->is_websocket ? broker->ws_port : broker->mqtt_port;
}

void peer_open(struct peer *peer)
{
    peer->is_upgraded = peer->is_leaving = false;
    buffer_free(&peer->stream);
    conn_open(&peer->conn, peer->net, &events, port_of(peer));
}

void peer_close(struct peer *peer)
{
    if (peer->conn.fd >= 0 && peer->conn.is_open)
        peer->target->dialect->farewell(peer);
    conn_close(&peer->conn);
}

void peer_free(struct peer *peer)
{
    conn_close(&peer->conn);
    buffer_free(&peer->stream);
    free(peer->token);
    peer->token = NULL;
}

void peer_write(struct peer *peer, const void *bytes, size_t len)
{
    if (peer->target->is_websocket)
        ws_write(&peer->conn, peer->target->dialect->opcode, bytes, len);
    else
        conn_write(&peer->conn, bytes, len);
}

void peer_fail(struct peer *peer, const char *why)
{
    conn_close(&peer->conn);
    peer->why = why;
    peer->saw(peer, SAW_LOST);
}

void peer_tell(struct peer *peer, const struct opening *known, size_t count, const char *bytes,
               size_t len)
{
    for (size_t i = 0; i < count; i++) {
        size_t opening_len = strlen(known[i].text);
        if (len < opening_len || memcmp(bytes, known[i].text, opening_len) != 0)
            continue;
        if (known[i].saw == SAW_LOST)
            peer_fail(peer, "refused by the server");
        else
            peer->saw(peer, known[i].saw);
        return;
    }
}
