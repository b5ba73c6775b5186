/*
 * room_states: who waits for the state of a room, which its broker retains and we do not keep.
 *
 * However many ask for a room at once, its broker is asked once. A question ends with a state, when
 * the room turns out to have ended, at the deadline of the first who asked, or with the broker
 * (pending.h); then all who ask are answered, and it is forgotten.
 */
#ifndef PARLEY_HTTPD_ROOM_STATES_H
#define PARLEY_HTTPD_ROOM_STATES_H

#include "pending.h"

struct room_states {
    struct pending *pending;
    void *questions; /* of tsearch(3), by room and broker */
};

/* `pending` holds the questions' deadlines, and has to outlive them (pending_end ends them all). */
void room_states_init(struct room_states *states, struct pending *pending);

/* Is the state of `room_id` asked for already, at the broker of index `broker`? */
bool room_states_is_asked(const struct room_states *states, unsigned broker, const char *room_id);

/*
 * Lets `waiter` wait for the state of `room_id`; its broker, deadline and done are set. Its done is
 * called once, with ANSWER_ROOM, ANSWER_NO_ROOM or ANSWER_NONE. STATUS_UNAVAILABLE when too many
 * questions wait, STATUS_INTERNAL when there is no memory.
 */
enum status room_states_wait(struct room_states *states, const char *room_id,
                             struct waiter *waiter);

/* Answers all who wait for `room_id` at `broker`; fine when nobody does. */
void room_states_answer(struct room_states *states, unsigned broker, const char *room_id,
                        const struct answer *answer, int64_t now);

#endif
