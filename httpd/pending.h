/*
 * pending: questions to roomd and to devices that wait for their answer, by request id, each with
 * an absolute deadline.
 *
 * A waiter is embedded in whatever asked. Its `done` is called exactly once, with the answer, at
 * its deadline, or when the broker that would have brought the answer is lost; it is out of the
 * table by then, and may be added again.
 */
#ifndef PARLEY_HTTPD_PENDING_H
#define PARLEY_HTTPD_PENDING_H

#include "common/messages.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum answer_kind {
    ANSWER_ROOM_CREATED,
    ANSWER_LOBBY_ERROR,
    ANSWER_RING,
    ANSWER_ROOM,    /* the room that was asked for is here */
    ANSWER_NO_ROOM, /* there is no such room */
    ANSWER_NONE,    /* nobody answered */
};

struct answer {
    enum answer_kind kind;
    struct msg_room_created created; /* ANSWER_ROOM_CREATED */
    enum status error;               /* ANSWER_LOBBY_ERROR */
    enum ring_answer ring;           /* ANSWER_RING */
    const char *device;              /* ANSWER_RING: who said so */
    const struct msg_room *room;     /* ANSWER_ROOM */
};

struct waiter {
    char request[REQUEST_ID_MAX + 1]; /* "" while it waits for nothing */
    char device[PEER_ID_MAX + 1];     /* whose answer counts: a device's, or "" for roomd's */
    unsigned broker;                  /* by which broker the answer comes */
    int64_t deadline;                 /* monotonic ms */
    void (*done)(struct waiter *waiter, const struct answer *answer, int64_t now);
    void *ctx; /* the asker's */
    TAILQ_ENTRY(waiter) in_order;
};

/* Beyond this many there is no point in asking: roomd does not keep up. */
#define PENDING_MAX 4096

TAILQ_HEAD(waiter_list, waiter);

struct pending {
    void *tree;                 /* of tsearch(3) */
    struct waiter_list waiters; /* the earliest deadline first */
    unsigned count;
};

void pending_init(struct pending *pending);

/* Gives `waiter` a fresh request id and adds it; its device, broker, deadline and done are set.
 * STATUS_UNAVAILABLE when too many wait. */
enum status pending_add(struct pending *pending, struct waiter *waiter);

/* Takes a waiter out without an answer; fine for one that does not wait. */
void pending_remove(struct pending *pending, struct waiter *waiter);

/* Hands `answer` to whoever asked `request`. An answer that nobody waits for, or from another than
 * the one asked, is dropped. */
void pending_answer(struct pending *pending, const char *request, const struct answer *answer,
                    int64_t now);

/* The broker at index `broker` is lost: nobody answers there. */
void pending_lose(struct pending *pending, unsigned broker, int64_t now);

/* Ends what is due; the next deadline, or INT64_MAX. */
int64_t pending_sweep(struct pending *pending, int64_t now);

/* Ends everything, as when every deadline had passed. */
void pending_end(struct pending *pending, int64_t now);

#endif
