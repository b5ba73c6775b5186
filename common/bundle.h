/*
 * bundle: several publications of roomd in one message, which the gate unpacks inside the broker
 * (docs/protocol.md, "gate/publish").
 *
 * Each message into the broker costs it a turn of its loop, and roomd's are the most of them: a
 * join is answered by three. One line for each publication, a topic below the root, a blank, the
 * payload:
 *
 *     rooms/k3/state {"room_id":"k3",…}
 *     rooms/k3/to/p-1/joined {…}
 *
 * A payload is JSON without line breaks, or empty.
 */
#ifndef PARLEY_BUNDLE_H
#define PARLEY_BUNDLE_H

#include "messages.h"
#include "topics.h"

/* All zero is an empty one. */
struct bundle {
    size_t len;
    char text[BUNDLE_PAYLOAD_MAX];
};

/*
 * Appends a publication. STATUS_TOO_LARGE when it does not fit any more (an empty bundle has room
 * for every message of roomd's), STATUS_BAD_REQUEST for a topic that does not format, or a line
 * break in the payload; the bundle is as before then.
 */
enum status bundle_add(struct bundle *bundle, const struct topic *topic, const char *payload,
                       size_t len);

/*
 * Takes the first publication off `*rest`. False when there is none: because nothing is left, or
 * since what is left is broken, which stays there.
 */
bool bundle_next(struct payload *rest, struct topic *topic, struct payload *payload);

#endif
