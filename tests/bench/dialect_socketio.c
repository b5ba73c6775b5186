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

static bool starts(const char *bytes, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

static void take_event(struct peer *peer, const char *bytes, size_t len)
{
    static const struct {
        const char *start;
        enum saw saw;
    } known[] = {
        {"42[\"joined\"", SAW_JOINED},
        {"42[\"user-arrived\"", SAW_ARRIVED},
        {"42[\"offer\"", SAW_OFFER},
        {"42[\"answer\"", SAW_ANSWER},
        {"42[\"candidate\"", SAW_CANDIDATES},
        {"42[\"cut-the-call\"", SAW_CUT},
        {"42[\"left\"", SAW_LEFT},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (starts(bytes, len, known[i].start)) {
            peer->saw(peer, known[i].saw);
            return;
        }
    }
    if (starts(bytes, len, "42[\"full-room\""))
        peer_fail(peer, "the room is full");
}

static long take(struct peer *peer, const char *bytes, size_t len)
{
    if (starts(bytes, len, "0"))
        send_text(peer, "40");
    else if (starts(bytes, len, "2"))
        send_text(peer, "3");
    else if (starts(bytes, len, "40"))
        peer->saw(peer, SAW_OPEN);
    else
        take_event(peer, bytes, len);
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
