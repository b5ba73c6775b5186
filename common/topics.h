/*
 * topics: the one place where topic names are built and parsed (docs/protocol.md, "Topics").
 *
 * Each kind of topic is a row of one table in topics.c: its pattern below `parley/v1/`, its quality of service and whether it
 * is retained.
 */
#ifndef PARLEY_TOPICS_H
#define PARLEY_TOPICS_H

#include "ids.h"
#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_ROOT "parley/v1/"

enum topic_kind {
    TOPIC_NONE,
    TOPIC_ROOM_STATE,        /* rooms/{room}/state */
    TOPIC_JOIN,              /* rooms/{room}/from/{peer}/join */
    TOPIC_CUT_REQUEST,       /* rooms/{room}/from/{peer}/cut-the-call */
    TOPIC_GONE,              /* rooms/{room}/from/{peer}/gone */
    TOPIC_JOINED,            /* rooms/{room}/to/{peer}/joined */
    TOPIC_FULL_ROOM,         /* rooms/{room}/to/{peer}/full-room */
    TOPIC_USER_ARRIVED,      /* rooms/{room}/to/{peer}/user-arrived */
    TOPIC_USER_AWAY,         /* rooms/{room}/to/{peer}/user-away */
    TOPIC_CUT_NOTICE,        /* rooms/{room}/to/{peer}/cut-the-call */
    TOPIC_ROOM_ERROR,        /* rooms/{room}/to/{peer}/error */
    TOPIC_PEER_ROOMD_STATUS, /* rooms/{room}/to/{peer}/roomd-status */
    TOPIC_OFFER,             /* rooms/{room}/to/{peer}/offer/{from} */
    TOPIC_ANSWER,            /* rooms/{room}/to/{peer}/answer/{from} */
    TOPIC_CANDIDATE,         /* rooms/{room}/to/{peer}/candidate/{from} */
    TOPIC_CREATE_ROOM,       /* lobby/from/{peer}/create-room */
    TOPIC_ROOM_CREATED,      /* lobby/to/{peer}/room-created */
    TOPIC_LOBBY_ERROR,       /* lobby/to/{peer}/error */
    TOPIC_DEVICE_STATUS,     /* devices/{peer}/status */
    TOPIC_DEVICE_RING,       /* devices/{peer}/ring */
    TOPIC_DEVICE_RING_ANSWER,/* devices/{peer}/ring-answer */
    TOPIC_DEVICE_CALL,       /* devices/{peer}/call */
    TOPIC_DEVICE_ROOMD_STATUS, /* devices/{peer}/roomd-status */
    TOPIC_ROOMD_STATUS,      /* roomd/status */
    TOPIC_ROOMD_STATS,       /* roomd/stats */
    TOPIC_ROOM_EXISTS,       /* roomd/rooms/{room} */
    TOPIC_GATE_STATS,        /* gate/stats */
    TOPIC_GATE_PUBLISH,      /* gate/publish */
    TOPIC_KIND_COUNT
};

/* A topic taken apart. Fields that its kind does not have are empty strings. */
struct topic {
    enum topic_kind kind;
    char room[ROOM_ID_MAX + 1];
    char peer[PEER_ID_MAX + 1]; /* whose `from`, `to` or device topic it is */
    char from[PEER_ID_MAX + 1]; /* the sender of an offer, answer or candidate */
};

/*
 * Takes `name` (`len` bytes, no NUL inside) apart. False, and kind TOPIC_NONE, when it is no topic of the contract:
 * another root, an unknown form, or an id out of its alphabet or length. Wildcards are never part of a topic.
 */
bool topic_parse(const char *name, size_t len, struct topic *out);

/* Builds the name of `topic` into `out`. False when an id it needs is empty or not valid; `out` is then empty. */
bool topic_format(const struct topic *topic, char out[static TOPIC_MAX + 1]);

/* The event's name as it stands in the topic and in `error.event`: "join", "cut-the-call", "offer", … Never NULL. */
const char *topic_event(enum topic_kind kind);

/* QoS of messages of this kind, 0 or 1, and whether they are retained. */
int topic_qos(enum topic_kind kind);
bool topic_is_retained(enum topic_kind kind);

/* The longest payload a message of this kind may have, bytes. */
size_t topic_payload_max(enum topic_kind kind);

/*
 * True when topic filter `filter` matches only topics that `allowed` matches too (both MQTT filters, 4.7; NUL-terminated).
 * Both may hold `+` and `#`.
 */
bool topic_filter_within(const char *filter, const char *allowed);

#endif
