/*
 * upstream: httpd's side of the brokers: a link to each, which rooms and devices are there, and
 * questions to them, their roomd and devices.
 */
#ifndef PARLEY_HTTPD_UPSTREAM_H
#define PARLEY_HTTPD_UPSTREAM_H

#include "common/config.h"
#include "common/link.h"
#include "devices_view.h"
#include "pending.h"
#include "report.h"
#include "room_states.h"
#include "rooms_view.h"

#include <poll.h>

#define HTTPD_PEER_ID "s-httpd"

/* The contract's patience: with roomd (table "HTTP"), and with a device, where a person may have to
 * come to it. */
#define ROOMD_ANSWERS_WITHIN_MS  2000
#define DEVICE_ANSWERS_WITHIN_MS 10000

struct upstream;

struct broker {
    struct upstream *upstream;
    unsigned index;
    const struct config_broker *config;
    struct link *link;
    struct mirror rooms;
    struct mirror devices;
    struct report roomd_report, gate_report; /* empty while they are not known */
    enum roomd_state roomd;         /* as its status says; offline while that is not known */
    char epoch[REQUEST_ID_MAX + 1]; /* of the last roomd that was there; "" before the first */
    bool awaits_retained;           /* only a retained status ends the look at the rooms */
};

struct upstream {
    const struct config *config;
    struct pending *pending;
    struct room_states room_states;
    unsigned next; /* whose turn it is to get a room of no particular name */
    unsigned count;
    struct broker brokers[BROKERS_MAX];
};

/* Makes a link to every broker of `config`, which connect by themselves. STATUS_INTERNAL when there
 * is no memory. */
enum status upstream_init(struct upstream *upstream, const struct config *config,
                          const struct keyring *keyring, struct pending *pending);

/* From the next connect on every link signs with `keyring`; connections stay. */
void upstream_set_keyring(struct upstream *upstream, const struct keyring *keyring);

void upstream_clear(struct upstream *upstream);

/* Before a wait: fills one pollfd a broker, and sends what was said to it; the earliest deadline of
 * the links. */
int64_t upstream_prepare(struct upstream *upstream, struct pollfd *fds, int64_t now);

/* Does what is due, with what poll(2) wrote into the same array. */
void upstream_service(struct upstream *upstream, const struct pollfd *fds, int64_t now);

/* Is the broker connected, and did its roomd say that it is there? */
bool upstream_is_served(const struct broker *broker);

struct room_place {
    enum rooms_answer answer;
    struct broker *broker; /* where the room is or, else, where it could be made */
};

/*
 * Where the room is or, when it is nowhere, the broker that its id belongs to. A room stays at the
 * broker it was made at, also when with more brokers its id belongs to another one. So while one of
 * the others has never told which rooms it has, it may have any: ROOM_UNKNOWN then, and no broker
 * (NULL). Once it has, what its mirror keeps is enough: foreign ids are not made there any more.
 */
struct room_place upstream_find_room(struct upstream *upstream, const char *room_id);

/* A broker for a room of no particular name: one whose roomd answers, in turn, or any when none
 * does. */
struct broker *upstream_any_broker(struct upstream *upstream);

/* Can the device be reached at `broker`? */
bool upstream_has_device(const struct broker *broker, const char *device_id);

/* A broker where the device can be reached, or NULL. */
struct broker *upstream_broker_of_device(struct upstream *upstream, const char *device_id);

/*
 * Asks the broker's roomd for a room ("" = any): `waiter` gets the answer (its done and deadline
 * are set by the caller). STATUS_UNAVAILABLE when nobody is there to ask.
 */
enum status upstream_ask_room(struct broker *broker, const char *room_id, struct waiter *waiter);

/* Asks the broker's roomd what it always refuses: that it answers is the answer, and nothing
 * changes. */
enum status upstream_ask_alive(struct broker *broker, struct waiter *waiter);

/*
 * Asks the broker for the state of a room, as room_states_wait does; `waiter` as for
 * upstream_ask_room. STATUS_UNAVAILABLE when the broker is away.
 */
enum status upstream_ask_state(struct broker *broker, const char *room_id, struct waiter *waiter);

/* Asks a device to join a room. */
enum status upstream_ring(struct broker *broker, const char *device_id, const char *room_id,
                          const char *peer_name, struct waiter *waiter);

/* A peer is about to connect: the broker has to answer it at once (link.h, "The tick"). */
void upstream_expect_peer(struct broker *broker, int64_t now);

#endif
