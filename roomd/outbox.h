/*
 * outbox: what roomd has to tell once the store has it, and how it gets to the gate, which
 * publishes it (docs/protocol.md, "gate/publish").
 */
#ifndef PARLEY_OUTBOX_H
#define PARLEY_OUTBOX_H

#include "mail.h"

#include "common/bundle.h"
#include "common/link.h"

#include <stdbool.h>

/* All zero is an empty one. */
struct outbox {
    struct mailbox mail;    /* to be published, in this order */
    struct mailbox journal; /* to be logged before: what happened in which room */
    struct bundle bundle;   /* empty between calls */
};

/*
 * Sends all there is, in as few messages as it fits into, and logs the journal. What cannot be sent
 * now is dropped: everybody hears the states, and asks again, once we are connected again.
 *
 * `wakes`: an empty bundle goes after the last one. What a plugin publishes, Mosquitto 2.0 hands to
 * WebSockets at the end of its next turn, and with that message it takes one.
 */
void outbox_send(struct outbox *outbox, struct link *link, bool wakes);

/* Forgets all there is. */
void outbox_clear(struct outbox *outbox);

#endif
