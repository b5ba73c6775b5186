/* A queue of times; see deadlines.h. */
#include "deadlines.h"

#include <stddef.h>
#include <utlist.h>

void deadline_add(struct deadline_queue *queue, struct deadline *deadline, void *owner, int64_t at)
{
    deadline->owner = owner;
    deadline->at = at;
    deadline->queued = true;
    struct deadline *before = queue->head != NULL ? queue->head->prev : NULL;
    while (before != NULL && before->at > at) {
        before = before == queue->head ? NULL : before->prev;
    }
    if (before == NULL) {
        DL_PREPEND(queue->head, deadline);
    } else {
        DL_APPEND_ELEM(queue->head, before, deadline);
    }
}

void deadline_remove(struct deadline_queue *queue, struct deadline *deadline)
{
    if (deadline->queued) {
        DL_DELETE(queue->head, deadline);
        deadline->queued = false;
    }
}

int64_t deadline_next(const struct deadline_queue *queue)
{
    return queue->head != NULL ? queue->head->at : INT64_MAX;
}
