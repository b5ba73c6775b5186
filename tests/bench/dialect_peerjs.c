/*
 * PeerServer's messages (npm `peer`), as PeerJS's client sends them: JSON in text frames, by the
 * other's id. It knows no rooms.
 */
#include "peer.h"

#include <stdio.h>
#include <string.h>

static void path(const struct peer *peer, char *out, size_t size)
{
    snprintf(out, size, "/peerjs?key=peerjs&id=%s&token=bench&version=1.5.5", peer->id);
}

static void opened(struct peer *peer)
{
    (void)peer; /* the server speaks first */
}

/* The server writes the type first. */
static long take(struct peer *peer, const char *bytes, size_t len)
{
    static const struct opening known[] = {
        {"{\"type\":\"CANDIDATE\"", SAW_CANDIDATES},
        {"{\"type\":\"OFFER\"", SAW_OFFER},
        {"{\"type\":\"ANSWER\"", SAW_ANSWER},
        /* Whose call is ended has left it: PeerJS's client answers nothing. */
        {"{\"type\":\"LEAVE\"", SAW_LEFT},
        {"{\"type\":\"OPEN\"", SAW_OPEN},
        {"{\"type\":\"ERROR\"", SAW_LOST},
        {"{\"type\":\"ID-TAKEN\"", SAW_LOST},
        {"{\"type\":\"EXPIRE\"", SAW_LOST},
    };
    peer_tell(peer, known, sizeof known / sizeof known[0], bytes, len);
    return (long)len;
}

/* Whoever is there is there: there is nothing to join. */
static void join(struct peer *peer)
{
    (void)peer;
}

static void send_text(struct peer *peer, const char *text)
{
    peer_write(peer, text, strlen(text));
}

static void leave(struct peer *peer)
{
    char text[256];
    snprintf(text, sizeof text, "{\"type\":\"LEAVE\",\"dst\":\"%s\"}", peer->other);
    send_text(peer, text);
    peer->saw(peer, SAW_LEFT);
}

static void send_signal(struct peer *peer, enum signal_kind kind, const char *body, size_t len)
{
    static const char *const before[] = {
        [SIGNAL_OFFER] = "{\"type\":\"OFFER\",\"payload\":{\"sdp\":{\"type\":\"offer\",\"sdp\":\"",
        [SIGNAL_ANSWER] =
            "{\"type\":\"ANSWER\",\"payload\":{\"sdp\":{\"type\":\"answer\",\"sdp\":\"",
        [SIGNAL_CANDIDATES] = "{\"type\":\"CANDIDATE\",\"payload\":{\"candidate\":"};
    struct buffer text = {0};
    char after[256];
    snprintf(after, sizeof after,
             "%s,\"type\":\"media\",\"connectionId\":\"mc_bench\"},\"dst\":\"%s\"}",
             kind == SIGNAL_CANDIDATES ? "" : "\"}", peer->other);
    buffer_add_text(&text, before[kind]);
    buffer_add(&text, body, len);
    buffer_add_text(&text, after);
    peer_write(peer, text.bytes, text.len);
    buffer_free(&text);
}

static void ping(struct peer *peer)
{
    send_text(peer, "{\"type\":\"HEARTBEAT\"}");
}

static void farewell(struct peer *peer)
{
    (void)peer; /* PeerJS closes its socket, and that is all */
}

const struct dialect dialect_peerjs = {.opcode = WS_TEXT,
                                       .path = path,
                                       .opened = opened,
                                       .take = take,
                                       .join = join,
                                       .leave = leave,
                                       .signal = send_signal,
                                       .ping = ping,
                                       .farewell = farewell};
