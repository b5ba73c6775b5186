/*
 * replies: what the rules say to whom, as messages.
 *
 * It turns the effects of rooms.h, and errors about what could not be read, into mail for the
 * broker, signs the seats, counts, and logs.
 */
#ifndef PARLEY_REPLIES_H
#define PARLEY_REPLIES_H

#include "mail.h"
#include "rooms.h"
#include "stats.h"

#include "common/token.h"

#include <stdint.h>

struct replies {
    struct mailbox *out;
    /* What is to be logged once it is true, in the same order: the payload names the event. NULL =
     * nothing is. */
    struct mailbox *journal;
    struct stats *stats;
    const struct keyring *keyring;
    unsigned grace_s;
    int64_t wall_s; /* seconds since 1970, for the seats: set before each batch */
};

/* The sink of rooms_options.emit; `ctx` is a struct replies. */
void replies_emit(void *ctx, const struct rooms_effect *effect);

/* Tells the sender of the room event `request` that it was no good; `detail` is a sentence for
 * people. */
void replies_room_error(struct replies *replies, const struct topic *request, enum status error,
                        const char *detail, unsigned retry_s);

/* The same for the lobby; `id` is the request's, or "" when it could not be read. */
void replies_lobby_error(struct replies *replies, const char *peer_id, const char *id,
                         enum status error, const char *detail);

/* The state of a room, as everybody reads it. */
void replies_state(struct replies *replies, const struct room *room);

/* The room is no more: clears its retained state, and says so to those who do not hear states. */
void replies_ended(struct replies *replies, const char *room_id);

#endif
