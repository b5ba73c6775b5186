/*
 * roomd_status: what roomd says of itself, told to each in its own inbox.
 *
 * The broker keeps the subscribers of a topic in one list, and walks it at each subscribe and at
 * each disconnect. With one topic for everybody these cost more with everybody who is connected, so
 * people and devices hear of roomd in their inboxes (docs/protocol.md, "Topics"): as soon as they
 * have subscribed to them, and at each change. Who subscribes to `roomd/status` as well, as older
 * clients do, hears it there alone.
 */
#ifndef PARLEY_ROOMD_STATUS_H
#define PARLEY_ROOMD_STATUS_H

#include "clients.h"

#include "common/limits.h"
#include "common/messages.h"

/* The status that roomd said last; `len` 0: none yet. */
struct roomd_status {
    char text[EVENT_PAYLOAD_MAX];
    size_t len;
};

/* roomd says `payload`: all who hear of it in their inboxes are told, unless it is what they have
 * heard already. Nothing happens for one that is empty, NULL or too long. */
void roomd_status_learn(struct roomd_status *status, const struct clients *clients,
                        struct payload payload);

/* `client` subscribes to `filter`, and may: is it to hear of roomd from us? */
void roomd_status_note(struct clients *clients, struct client *client, const char *filter);

/* Tells those who have subscribed since the last call. Once a turn, so that all of a SUBSCRIBE is
 * known. */
void roomd_status_answer(struct roomd_status *status, struct clients *clients);

#endif
