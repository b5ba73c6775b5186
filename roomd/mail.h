/*
 * mail: messages in the order they came, or are to go: a list of topics and payloads.
 *
 * roomd keeps two: what arrived in a turn, so that a batch can be run twice, and what is to be told
 * once the store has it.
 */
#ifndef PARLEY_MAIL_H
#define PARLEY_MAIL_H

#include "common/topics.h"

#include <stddef.h>

struct mail {
    struct mail *next;
    struct topic topic;
    size_t len;
    char payload[]; /* `len` bytes and a NUL */
};

/* All zero is an empty box. */
struct mailbox {
    struct mail *first, *last;
};

/* Appends a copy. */
void mailbox_add(struct mailbox *box, const struct topic *topic, const char *payload, size_t len);

/* Frees all of it. */
void mailbox_clear(struct mailbox *box);

#endif
