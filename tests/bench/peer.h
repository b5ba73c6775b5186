/*
 * peer: one end of a call, whatever system it signals by. What differs between the systems is a
 * dialect, a row of functions; what is done with peers (work.h) knows none of it.
 *
 * A peer connects, joins the room it was made for, sends the other its offer, answer and
 * candidates, and leaves. What comes of it is told by `saw`.
 */
#ifndef PARLEY_BENCH_PEER_H
#define PARLEY_BENCH_PEER_H

#include "net.h"
#include "websocket.h"

#include "common/limits.h"

struct config;
struct keyring;

enum saw {
    SAW_OPEN,       /* connected, and let in */
    SAW_JOINED,     /* in the room */
    SAW_ARRIVED,    /* the other has come, after us */
    SAW_OFFER,      /* from the other */
    SAW_ANSWER,     /* from the other */
    SAW_CANDIDATES, /* one message of them, from the other */
    SAW_CUT,        /* the other has left */
    SAW_LEFT,       /* we are out of the room */
    SAW_LOST        /* the connection is gone, or something was refused: peer->why */
};

enum signal_kind { SIGNAL_OFFER, SIGNAL_ANSWER, SIGNAL_CANDIDATES };

struct peer;

struct dialect {
    bool has_rooms;   /* false: nobody tells who is there; one calls the other by its id */
    bool has_batches; /* candidates that are found together travel together */
    enum ws_opcode opcode;
    const char *subprotocol;                                       /* of the WebSocket, or NULL */
    void (*path)(const struct peer *peer, char *out, size_t size); /* of the WebSocket */
    void (*opened)(struct peer *peer); /* the transport is there: the place to say hello */
    /* Takes what is whole of `len` bytes (of one frame, or of the stream), and says how much that
     * was; -1 = it is broken. */
    long (*take)(struct peer *peer, const char *bytes, size_t len);
    void (*join)(struct peer *peer);
    void (*leave)(struct peer *peer);
    /* `body` stands for the SDP as a JSON string holds it, or is candidates as a JSON array holds
     * them. */
    void (*signal)(struct peer *peer, enum signal_kind kind, const char *body, size_t len);
    /* Says that the peer is there. NULL: the server asks, and is answered. */
    void (*ping)(struct peer *peer);
    void (*farewell)(struct peer *peer);
};

extern const struct dialect dialect_mqtt, dialect_socketio, dialect_peerjs;

/* How a system is reached: the same for all its peers. */
struct target {
    const struct dialect *dialect;
    unsigned port; /* on 127.0.0.1 */
    bool is_websocket;
    int mqtt_version; /* 4 (3.1.1) or 5 */
    int qos;          /* MQTT: of every signal; -1: as the contract has it */
    const struct config
        *parley; /* Parley's: the brokers' ports take the place of `port`. NULL = another system */
    const struct keyring *keys; /* Parley: what signs tokens */
    bool has_devices;           /* MQTT: the peers are devices, with a device's subscriptions */
};

struct peer {
    struct conn conn; /* first: an event of the connection finds the peer by it */
    struct net *net;
    const struct target *target;
    char id[PEER_ID_MAX + 1];
    char other[PEER_ID_MAX + 1];
    char room[ROOM_ID_MAX + 1];
    char *token;          /* MQTT: made once, owned */
    struct buffer stream; /* MQTT: the start of a packet whose rest has not come */
    unsigned packet_id;
    bool is_upgraded; /* the WebSocket is there */
    bool is_leaving;
    const char *why;
    void (*saw)(struct peer *peer, enum saw what);
    void *ctx;
};

/*
 * Makes the peer of `index`, who calls, or is called by, the one of index ^ 1, in the room `room`.
 * Ids differ between processes.
 */
void peer_init(struct peer *peer, struct net *net, const struct target *target, unsigned index,
               const char *room);

/* Connects, with Parley to the broker that the room belongs to. */
void peer_open(struct peer *peer);

/* Says farewell and closes; may be opened again. */
void peer_close(struct peer *peer);

/* Closes, without a farewell, and frees what it holds. */
void peer_free(struct peer *peer);

/* ---- for dialects ---- */

/* Sends a message: a frame of the dialect's opcode, or the bytes themselves. */
void peer_write(struct peer *peer, const void *bytes, size_t len);

/* Something is not as it has to be: the connection is closed, and SAW_LOST told. */
void peer_fail(struct peer *peer, const char *why);

/* What a text means that begins so. SAW_LOST: it refuses something. */
struct opening {
    const char *text;
    enum saw saw;
};

/* Tells what `len` bytes mean, by the first of `count` openings that they begin with; nothing when
 * there is none. */
void peer_tell(struct peer *peer, const struct opening *known, size_t count, const char *bytes,
               size_t len);

#endif
