/*
 * The original design's messages, by Socket.IO 5 on Engine.IO 4 over a WebSocket: a text frame is a
 * packet, whose first digit is Engine.IO's type and whose second Socket.IO's.
 */
#include "peer.h"

#include <stdio.h>
#include <string.h>

static void path(const struct peer *peer, char *out, size_t size)
{
    (void)peer;
    snprintf(out, size, "/socket.io/?EIO=4&transport=websocket");
}

static void opened(struct peer *peer)
{
    (void)peer; /* the server speaks first */
}

static void send_text(struct peer *peer, const char *text)
{
    peer_write(peer, text, strlen(text));
}

static long take(struct peer *peer, const char *bytes, size_t len)
{
    static const struct opening known[] = {
        {"40", SAW_OPEN},
        {"42[\"joined\"", SAW_JOINED},
        {"42[\"user-arrived\"", SAW_ARRIVED},
        {"42[\"offer\"", SAW_OFFER},
        {"42[\"answer\"", SAW_ANSWER},
        {"42[\"candidate\"", SAW_CANDIDATES},
        {"42[\"cut-the-call\"", SAW_CUT},
        {"42[\"left\"", SAW_LEFT},
        {"42[\"full-room\"", SAW_LOST},
    };
    if (len > 0 && bytes[0] == '0') /* Engine.IO's open */
        send_text(peer, "40");
    else if (len > 0 && bytes[0] == '2') /* its ping */
        send_text(peer, "3");
    else
        peer_tell(peer, known, sizeof known / sizeof known[0], bytes, len);
    return (long)len;
}

static void join(struct peer *peer)
{
    char text[512];
    snprintf(text, sizeof text, "42[\"join\",{\"room\":\"%s\",\"peer\":\"%s\",\"name\":\"Bench\"}]",
             peer->room, peer->id);
    send_text(peer, text);
}

static void leave(struct peer *peer)
{
    send_text(peer, "42[\"cut-the-call\"]");
}

static void send_signal(struct peer *peer, enum signal_kind kind, const char *body, size_t len)
{
    static const char *const before[] = {[SIGNAL_OFFER] = "42[\"offer\",{\"sdp\":\"",
                                         [SIGNAL_ANSWER] = "42[\"answer\",{\"sdp\":\"",
                                         [SIGNAL_CANDIDATES] = "42[\"candidate\","};
    struct buffer text = {0};
    buffer_add_text(&text, before[kind]);
    buffer_add(&text, body, len);
    buffer_add_text(&text, kind == SIGNAL_CANDIDATES ? "]" : "\"}]");
    peer_write(peer, text.bytes, text.len);
    buffer_free(&text);
}

static void farewell(struct peer *peer)
{
    send_text(peer, "41");
}

const struct dialect dialect_socketio = {.has_rooms = true,
                                         .opcode = WS_TEXT,
                                         .path = path,
                                         .opened = opened,
                                         .take = take,
                                         .join = join,
                                         .leave = leave,
                                         .signal = send_signal,
                                         .farewell = farewell};
