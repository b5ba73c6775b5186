/*
 * say: what the gate itself publishes, through the broker it lives in.
 */
#ifndef PARLEY_SAY_H
#define PARLEY_SAY_H

#include "stats.h"

#include "common/access.h"
#include "common/messages.h"
#include "common/status.h"
#include "common/topics.h"

/*
 * Tells `who` that its message on `topic` was refused, since an MQTT 3.1.1 client gets a success
 * PUBACK for it all the same. Messages outside rooms and lobby have no topic for errors: nothing is
 * said about them.
 */
void say_error(const struct access_who *who, const struct topic *topic, enum status error);

/* Tells the client whose `inbox` it is, and nobody else, what roomd says of itself. */
void say_roomd_status(const struct topic *inbox, struct payload status);

/* Publishes the gate's statistics, retained. */
void say_stats(const struct gate_counts *counts, const struct gate_gauges *gauges);

/* Publishes, for roomd, what it has bundled; the payload may be empty. */
void say_for_roomd(const struct topic *topic, struct payload payload);

/* Tells all subscribers, which is roomd, that the connection of `peer_id`, a member of `room`, is
 * gone. A kept session gets it later. */
void say_gone(const char *room, const char *peer_id);

#endif
