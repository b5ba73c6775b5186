#include "room_states.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct question {
    struct room_states *states;
    struct waiter waiter; /* in pending; the askers' are in none */
    struct waiter_list askers;
    char room_id[ROOM_ID_MAX + 1];
};

static int compare(const void *a, const void *b)
{
    const struct question *one = a, *other = b;
    int order = strcmp(one->room_id, other->room_id);
    return order != 0 ? order
                      : (one->waiter.broker > other->waiter.broker) -
                            (one->waiter.broker < other->waiter.broker);
}

void room_states_init(struct room_states *states, struct pending *pending)
{
    *states = (struct room_states){.pending = pending};
}

static struct question *find(const struct room_states *states, unsigned broker, const char *room_id)
{
    struct question key = {.waiter.broker = broker};
    if (strlen(room_id) > ROOM_ID_MAX)
        return NULL;
    memcpy(key.room_id, room_id, strlen(room_id) + 1);
    struct question *const *node = tfind(&key, &states->questions, compare);
    return node ? *node : NULL;
}

bool room_states_is_asked(const struct room_states *states, unsigned broker, const char *room_id)
{
    return find(states, broker, room_id) != NULL;
}

/* The question is out of pending. */
static void conclude(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct question *question = waiter->ctx;
    struct waiter *asker;
    tdelete(question, &question->states->questions, compare);
    while ((asker = TAILQ_FIRST(&question->askers))) {
        TAILQ_REMOVE(&question->askers, asker, in_order);
        asker->done(asker, answer, now);
    }
    free(question);
}

static enum status add(struct room_states *states, const char *room_id, const struct waiter *asker,
                       struct question **out)
{
    struct question *question = calloc(1, sizeof *question);
    enum status status = STATUS_INTERNAL;
    if (!question || strlen(room_id) > ROOM_ID_MAX)
        goto fail;
    question->states = states;
    question->waiter = (struct waiter){
        .broker = asker->broker, .deadline = asker->deadline, .done = conclude, .ctx = question};
    TAILQ_INIT(&question->askers);
    memcpy(question->room_id, room_id, strlen(room_id) + 1);
    status = pending_add(states->pending, &question->waiter);
    if (status != STATUS_OK)
        goto fail;
    if (!tsearch(question, &states->questions, compare)) {
        pending_remove(states->pending, &question->waiter);
        status = STATUS_INTERNAL;
        goto fail;
    }
    *out = question;
    return STATUS_OK;
fail:
    free(question);
    return status;
}

enum status room_states_wait(struct room_states *states, const char *room_id, struct waiter *waiter)
{
    struct question *question = find(states, waiter->broker, room_id);
    enum status status = question ? STATUS_OK : add(states, room_id, waiter, &question);
    if (status == STATUS_OK)
        TAILQ_INSERT_TAIL(&question->askers, waiter, in_order);
    return status;
}

void room_states_answer(struct room_states *states, unsigned broker, const char *room_id,
                        const struct answer *answer, int64_t now)
{
    struct question *question = find(states, broker, room_id);
    if (!question)
        return;
    pending_remove(states->pending, &question->waiter);
    conclude(&question->waiter, answer, now);
}
