/*
 * intake: a message from the broker, checked and handed to the rules (docs/protocol.md, rule 10).
 *
 * The topic says who asks: the gate lets nobody write another's. What cannot be read changes
 * nothing, is counted, and is answered by an error.
 */
#ifndef PARLEY_INTAKE_H
#define PARLEY_INTAKE_H

#include "mail.h"
#include "replies.h"
#include "rooms.h"

#include "common/token.h"

#include <stdbool.h>
#include <stdint.h>

struct intake {
    struct rooms *rooms;
    struct replies *replies;
    struct stats *stats;
    const struct keyring *keyring;
};

/* True for the topics that intake_take handles. */
bool intake_wants(enum topic_kind kind);

/* Handles one message of such a topic at `now` (monotonic ms), inside a transaction of the rooms.
 */
void intake_take(struct intake *intake, const struct mail *mail, int64_t now);

#endif
