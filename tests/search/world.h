/*
 * world: the model's state unpacked, and roomd in it: the real room_step, with the promises that
 * hold at every step.
 */
#ifndef PARLEY_SEARCH_WORLD_H
#define PARLEY_SEARCH_WORLD_H

#include "model.h"

/* How far revs lie apart: next to each other, or so far that no change makes them meet. */
enum { REVS_ADJACENT = 1, REVS_APART = 16 };

/* Messages to roomd, as they stand in a queue; 0 is none. */
enum {
    MESSAGE_JOIN_1 = 1,
    MESSAGE_JOIN_2,
    MESSAGE_CUT_1,
    MESSAGE_CUT_2,
    MESSAGE_GONE_1,
    MESSAGE_GONE_2,
    MESSAGE_GONE, /* as the gate says it: no session */
};

/* Messages to a client. Arrivals and absences change nothing that the promises are about, and are
 * left out. That there is no such room ends a page as a full one does. */
enum {
    MESSAGE_JOINED_1 = 1,
    MESSAGE_JOINED_2,
    MESSAGE_FULL_1,
    MESSAGE_FULL_2,
    MESSAGE_LEFT,  /* cut-the-call: the other left */
    MESSAGE_EPOCH, /* roomd/status shows a new one */
    MESSAGE_KICKED,
};

/* The message of a pair that is session 1's or 2's; and the session of one that is. */
unsigned message_of(unsigned first, unsigned session);
unsigned message_session(unsigned message);

enum view { VIEW_OUT, VIEW_ASKING, VIEW_IN, VIEW_ASKING_AGAIN };

/*
 * Queues are 3 bits a message, the next one lowest. A client's queue to roomd takes three; two more
 * places are for those that come again.
 */
#define TO_ROOMD_MAX  3
#define TO_CLIENT_MAX 3
#define TAKEN_MAX     3 /* that come again, of one client */
#define TAKEN_ALL_MAX 3 /* and of all */

struct client {
    unsigned session; /* 0: not there yet */
    bool connected;
    bool late_will; /* session 1's is still to come */
    unsigned view;
    unsigned to_roomd;  /* queue at the broker */
    unsigned taken;     /* taken by roomd without a receipt: comes again after a crash */
    unsigned to_client; /* queue at the broker */

    bool seated; /* in the room; who sits first makes no difference to any rule */
    unsigned seat_session;
    bool away;
    uint64_t seat_rev; /* of the member, as rule 7 compares it; 0 while seats do not matter */

    uint64_t held;     /* the rev of the seat that it would show; 0: none, or seats do not matter */
    uint64_t coming;   /* of the one in the `joined` on its way */
    bool waiting;      /* was told to come again when the reclaim window is over */

    unsigned stored_session; /* its seat as the store has it; 0: none */
    unsigned stale_message;  /* taken by a roomd that was stopped before it committed, and overtaken */
    unsigned stale_session;  /* its seat as that one knows it, and whether it is away */
    bool stale_away;
};

struct world {
    struct client clients[CLIENTS];
    struct budgets budgets; /* to come */
    bool stalled;           /* receipts are lost now */
    bool unknown;           /* the room was lost with the store */
    bool reclaiming;        /* rule 7: it is back, and its window is open */
    uint64_t rev;           /* 0 while seats do not matter */
    const char *violation;    /* a promise that the last step broke */
};

/*
 * Appends; false when there are `max` already. The same message twice in a row is put once:
 * duplicates are what ACTION_STALL is for.
 */
bool queue_push(unsigned *queue, unsigned message, unsigned max);

/* Takes the next message; 0 when there is none. */
unsigned queue_pop(unsigned *queue);

/* The next message, left where it is; 0 when there is none. */
unsigned queue_first(unsigned queue);

unsigned queue_length(unsigned queue);

/* Takes the client's next message out of its queue. False when there is none, or no place to
 * remember that it comes again. */
bool world_take(struct world *world, unsigned client, unsigned *message);

#define WORLD_TELL_ALL 99

/* roomd takes the client's next message and tells the first `told` messages of what it has to say.
 * False when there is none, or no place for the answers, or (told less than all) all would be told.
 */
bool world_deliver(struct world *world, unsigned client, unsigned told);

/* Time runs out for the client if it is away, or for all who are (client CLIENTS, if two are). */
bool world_end_grace(struct world *world, unsigned client);

/* Another roomd takes over, while the one at work is stopped in the middle of the client's next
 * message. False when there is none, or one is stopped already. */
bool world_overtake(struct world *world, unsigned client);

/* The one that was stopped goes on, and would commit. */
bool world_wake(struct world *world, unsigned client);

/* roomd comes back, with what the store has. */
bool world_crash(struct world *world);

/* And the store is gone. */
void world_lose_store(struct world *world);

/* Do seats matter still, or will they? */
bool world_has_seats(const struct world *world);

/* Without it a store takes what a roomd commits that was overtaken. */
extern bool world_fence;

/* Revs come back in their order, `apart` from each other: what lies between them is not kept. */
void world_unpack(const struct packed *packed, unsigned apart, struct world *out);
struct packed world_pack(const struct world *world, unsigned char order[CLIENTS]);
void world_print(FILE *out, const struct world *world, const char names[CLIENTS]);

#endif
