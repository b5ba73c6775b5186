#include "pending.h"

#include <search.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct waiter *)a)->request, ((const struct waiter *)b)->request);
}

void pending_init(struct pending *pending)
{
    *pending = (struct pending){0};
    TAILQ_INIT(&pending->waiters);
}

enum status pending_add(struct pending *pending, struct waiter *waiter)
{
    if (pending->count >= PENDING_MAX)
        return STATUS_UNAVAILABLE;
    random_id_generate(waiter->request);
    if (!tsearch(waiter, &pending->tree, compare)) {
        waiter->request[0] = '\0';
        return STATUS_UNAVAILABLE;
    }
    /* There are only a few lengths of waiting, so the place is near the end. */
    struct waiter *before = TAILQ_LAST(&pending->waiters, waiter_list);
    while (before && before->deadline > waiter->deadline)
        before = TAILQ_PREV(before, waiter_list, in_order);
    if (before)
        TAILQ_INSERT_AFTER(&pending->waiters, before, waiter, in_order);
    else
        TAILQ_INSERT_HEAD(&pending->waiters, waiter, in_order);
    pending->count++;
    return STATUS_OK;
}

void pending_remove(struct pending *pending, struct waiter *waiter)
{
    if (!waiter->request[0])
        return;
    tdelete(waiter, &pending->tree, compare);
    TAILQ_REMOVE(&pending->waiters, waiter, in_order);
    pending->count--;
    waiter->request[0] = '\0';
}

static void finish(struct pending *pending, struct waiter *waiter, const struct answer *answer,
                   int64_t now)
{
    pending_remove(pending, waiter);
    waiter->done(waiter, answer, now);
}

void pending_answer(struct pending *pending, const char *request, const struct answer *answer,
                    int64_t now)
{
    struct waiter key = {0};
    if (strlen(request) >= sizeof key.request)
        return;
    memcpy(key.request, request, strlen(request));
    struct waiter *const *node = tfind(&key, &pending->tree, compare);
    if (!node || strcmp((*node)->device, answer->kind == ANSWER_RING ? answer->device : "") != 0)
        return;
    finish(pending, *node, answer, now);
}

void pending_lose(struct pending *pending, unsigned broker, int64_t now)
{
    const struct answer nobody = {.kind = ANSWER_NONE};
    struct waiter_list lost = TAILQ_HEAD_INITIALIZER(lost);
    struct waiter *waiter = TAILQ_FIRST(&pending->waiters);
    /* Collected first: what `done` adds or removes must not disturb the walk. */
    while (waiter) {
        struct waiter *next = TAILQ_NEXT(waiter, in_order);
        if (waiter->broker == broker) {
            pending_remove(pending, waiter);
            TAILQ_INSERT_TAIL(&lost, waiter, in_order);
        }
        waiter = next;
    }
    while ((waiter = TAILQ_FIRST(&lost))) {
        TAILQ_REMOVE(&lost, waiter, in_order);
        waiter->done(waiter, &nobody, now);
    }
}

int64_t pending_sweep(struct pending *pending, int64_t now)
{
    const struct answer nobody = {.kind = ANSWER_NONE};
    struct waiter *waiter;
    while ((waiter = TAILQ_FIRST(&pending->waiters)) && waiter->deadline <= now)
        finish(pending, waiter, &nobody, now);
    return waiter ? waiter->deadline : INT64_MAX;
}

void pending_end(struct pending *pending, int64_t now)
{
    for (unsigned broker = 0; broker < BROKERS_MAX; broker++)
        pending_lose(pending, broker, now);
}
