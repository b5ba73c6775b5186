/*
 * deadlines: a queue of times, each with an owner, soonest first.
 *
 * Every deadline of one queue lies the same span after the moment it is made (the grace, or the
 * rooms' time to live), and moments only grow: so a new one belongs at the end, found in O(1). Only
 * a rollback or a clock of the past puts one in between, and then it is walked to from the end.
 */
#ifndef PARLEY_DEADLINES_H
#define PARLEY_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
    struct deadline *prev, *next;
    void *owner;
    int64_t at; /* monotonic ms */
    bool queued;
};

struct deadline_queue {
    struct deadline *head;
};

/* Queues `deadline`, which belongs to the caller and must not be queued, for `at`. */
void deadline_add(struct deadline_queue *queue, struct deadline *deadline, void *owner, int64_t at);

/* Takes `deadline` out of `queue`; one that is not queued stays as it is. */
void deadline_remove(struct deadline_queue *queue, struct deadline *deadline);

/* The soonest time in `queue`, or INT64_MAX. */
int64_t deadline_next(const struct deadline_queue *queue);

#endif
