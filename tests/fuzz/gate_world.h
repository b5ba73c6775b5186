/*
 * gate_world: what the gate's fuzz target knows for sure of the world that the gate lives in: who
 * is connected and how they came in, which keys there are, who roomd named as members, who has
 * left. Whatever the gate answers or says is held against it.
 */
#ifndef PARLEY_FUZZ_GATE_WORLD_H
#define PARLEY_FUZZ_GATE_WORLD_H

#include "fake_broker.h"

#include "common/access.h"
#include "common/messages.h"
#include "common/token.h"

#define NOW   INT64_C(2000000000)
#define TTL_S 3600
#define SLOTS 6
#define ROOMS 2
#define IDS   7

extern const char *const rooms[ROOMS];
extern const char *const ids[IDS];

/* How a token came to be; those before FORGES are made ahead. */
enum forge { BY_NEW, BY_OLD, EXPIRED, NOT_OURS, FORGES, OF_ANOTHER = FORGES, NONE, GARBLED, WAYS };

/* What is known of one who was let in. */
struct guest {
    const char *room;
    enum forge forge;
    const char *token;
    int64_t expires_at;
};

struct world {
    struct mosquitto clients[SLOTS];
    struct guest guests[IDS]; /* by their newest connection */
    int newest[IDS];          /* its slot, or -1 once that is another's */
    int known[IDS];           /* its slot as the gate has it, or -1 */
    bool left[IDS];           /* it ended since the last tick */
    int64_t left_at[IDS];     /* monotonic ms */
    bool has_old_key;
    bool reloading; /* until the next tick */
    bool ticking;
    struct msg_room states[ROOMS]; /* what roomd named last */
    bool limited;                  /* [limits] are on */
    unsigned passed[IDS];          /* messages and filters let through since the clock moved */
    unsigned told[ROOMS][IDS];     /* times that it was said to be gone, in this tick */
    bool unpacking;                /* the gate has a bundle in its hands */
    unsigned unpacked;             /* publications that came out of it */
};

extern struct world world;

/* Makes the tokens, and the files that the gate reads. Once. */
void world_prepare(void);

/* A new world with a gate in it, under limits or not, and its end. */
void world_start(bool tells_replaced, bool limited);
void world_stop(void);

/* The token of a peer id's for a room, by index, and when one of its making ends. */
char *world_token(unsigned id, unsigned room, enum forge forge);
int64_t world_token_end(enum forge forge);

/* Puts the old key into the key file or takes it out; the gate is not told. */
void world_set_old_key(bool is_there);

/* The index of an id, or IDS. */
unsigned world_id(const char *id);

/* For access_decide: is that a member by what roomd named? */
bool world_is_member(void *ctx, const char *room, const char *peer_id);

/* roomd said so of a room: what the gate has to know from now on, and pass on. False when it may do
 * neither. */
bool world_take_state(const char *room, struct payload payload);

/* Is a token of this making good now, whatever else? */
bool world_is_good(const struct guest *guest);

/* What the broker asks about a CONNECT: may it come in, or stay? */
bool world_ask_auth(struct mosquitto *client);

/* The client in `slot` came in as `id`; the old connection of that id ends. */
void world_let_in(unsigned slot, unsigned id, const struct guest *guest);

/* What the broker asks about a topic or filter. Held against the table, the members and the
 * contract's sizes: all that they allow, and nothing else, passes. */
bool world_ask_acl(unsigned slot, int access, const char *topic, size_t len, bool retain);

#endif
