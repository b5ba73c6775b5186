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

static bool has(const char *bytes, size_t len, const char *text)
{
    return memmem(bytes, len, text, strlen(text)) != NULL;
}

/* The type stands near the start or the end, as the server happens to write it: the long body is
 * not searched for it. */
static long take(struct peer *peer, const char *bytes, size_t len)
{
    static const struct {
        const char *type;
        enum saw saw;
    } known[] = {
        {"\"type\":\"CANDIDATE\"", SAW_CANDIDATES},
        {"\"type\":\"OFFER\"", SAW_OFFER},
        {"\"type\":\"ANSWER\"", SAW_ANSWER},
        {"\"type\":\"LEAVE\"", SAW_CUT},
        {"\"type\":\"OPEN\"", SAW_OPEN},
    };
    size_t head = len < 64 ? len : 64;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (has(bytes, head, known[i].type)) {
            peer->saw(peer, known[i].saw);
            return (long)len;
        }
    }
    if (has(bytes, head, "\"ERROR\"") || has(bytes, head, "ID-TAKEN") || has(bytes, head, "EXPIRE"))
        peer_fail(peer, "refused by the server");
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
                                       .farewell = farewell};
