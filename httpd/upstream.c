#include "upstream.h"

#include "common/log.h"

#include <stdio.h>
#include <string.h>

/* A browser that was given a token loads MQTT.js and connects within this. */
#define PEER_CONNECTS_WITHIN_MS 10000

/*
 * What of the rooms? `roomd/rooms/+` says which begin and end, and nothing more is heard while all
 * is well. Which there are already is what the retained states say, so these are looked at after
 * each connect, and when roomd has started anew or publishes all of them again.
 *
 * A look subscribes to the states and then to roomd/#. Brokers answer subscriptions in order, so
 * once that brings a `roomd/status`, every state retained before it is here too; and roomd
 * publishes a status without `publishing` after all of its states. The subscription to states
 * stands until one has come. In a later look on a connection roomd/# stands already, and only the
 * retained status is an answer. A state may overtake a word of `roomd/rooms/+` that waits for its
 * receipt, but is never overtaken by one.
 */
#define ALL_STATES "rooms/+/state"
#define ALL_ROOMD  "roomd/#"

/* Before the look, so that what devices retain is here when it is over. */
static const struct {
    const char *filter;
    int qos;
} subscriptions[] = {
    {"devices/+/status", 1},
    {"devices/+/ring-answer", 1},
    {"lobby/to/" HTTPD_PEER_ID "/#", 1},
    {"gate/stats", 0},
};

/* ---- what the brokers say ---- */

/* `again`: on a connection on which roomd/# stands. */
static void look_at_rooms(struct broker *broker, bool again)
{
    mirror_begin(&broker->rooms);
    broker->awaits_retained = again;
    link_subscribe(broker->link, ALL_STATES, topic_qos(TOPIC_ROOM_STATE));
    link_subscribe(broker->link, ALL_ROOMD, topic_qos(TOPIC_ROOM_EXISTS));
}

static void complete(struct broker *broker)
{
    link_unsubscribe(broker->link, ALL_STATES);
    mirror_complete(&broker->rooms);
    mirror_complete(&broker->devices);
    log_info("mirror-complete", LOG_TEXT("broker", broker->config->name),
             LOG_NUMBER("rooms", broker->rooms.count),
             LOG_NUMBER("devices", broker->devices.count));
}

static void on_connected(void *ctx, int64_t now)
{
    struct broker *broker = ctx;
    (void)now;
    mirror_begin(&broker->devices);
    for (size_t i = 0; i < sizeof subscriptions / sizeof subscriptions[0]; i++)
        link_subscribe(broker->link, subscriptions[i].filter, subscriptions[i].qos);
    look_at_rooms(broker, false);
}

static void on_disconnected(void *ctx, int64_t now)
{
    struct broker *broker = ctx;
    mirror_lose(&broker->rooms);
    mirror_lose(&broker->devices);
    broker->roomd = ROOMD_OFFLINE;
    broker->roomd_report.count = broker->gate_report.count = 0;
    pending_lose(broker->upstream->pending, broker->index, now);
}

struct message {
    const struct topic *topic;
    struct payload payload;
    bool is_retained;
    int64_t now;
};

/* Those who ask for the state of a room hear what was said of it; `status` is the view's. */
static enum status tell_askers(struct broker *broker, const struct message *message,
                               enum status status, const struct msg_room *room)
{
    const struct answer answer = {.kind = status == STATUS_OK             ? ANSWER_ROOM
                                          : status == STATUS_NO_SUCH_ROOM ? ANSWER_NO_ROOM
                                                                          : ANSWER_NONE,
                                  .room = room};
    room_states_answer(&broker->upstream->room_states, broker->index, message->topic->room, &answer,
                       message->now);
    return status == STATUS_NO_SUCH_ROOM ? STATUS_OK : status;
}

static enum status take_room_state(struct broker *broker, const struct message *message)
{
    struct msg_room room;
    enum status status =
        rooms_view_take_state(&broker->rooms, message->topic->room, message->payload, &room);
    return tell_askers(broker, message, status, &room);
}

static enum status take_room_exists(struct broker *broker, const struct message *message)
{
    enum status status =
        rooms_view_take_exists(&broker->rooms, message->topic->room, message->payload);
    /* That it exists is known to those who ask: they wait for its state. */
    return status == STATUS_NO_SUCH_ROOM ? tell_askers(broker, message, status, NULL) : status;
}

static enum status take_device_status(struct broker *broker, const struct message *message)
{
    return devices_view_take(&broker->devices, message->topic->peer, message->payload);
}

static enum status take_roomd_status(struct broker *broker, const struct message *message)
{
    struct msg_roomd_status status;
    struct msg_fault fault;
    enum status result = msg_decode_roomd_status(message->payload, &status, &fault);
    if (result != STATUS_OK)
        return result;
    broker->roomd = status.state;
    if (message->is_retained)
        broker->awaits_retained = false;
    if (status.state == ROOMD_OFFLINE)
        return STATUS_OK;
    bool is_new = strcmp(status.epoch, broker->epoch) != 0;
    memcpy(broker->epoch, status.epoch, sizeof broker->epoch);
    if (broker->rooms.complete && (is_new || status.publishing))
        look_at_rooms(broker, true);
    else if (!broker->rooms.complete && !broker->awaits_retained && !status.publishing)
        complete(broker);
    return STATUS_OK;
}

static enum status take_room_created(struct broker *broker, const struct message *message)
{
    struct answer answer = {.kind = ANSWER_ROOM_CREATED};
    struct msg_fault fault;
    enum status result = msg_decode_room_created(message->payload, &answer.created, &fault);
    if (result == STATUS_OK)
        pending_answer(broker->upstream->pending, answer.created.request, &answer, message->now);
    return result;
}

static enum status take_lobby_error(struct broker *broker, const struct message *message)
{
    struct msg_lobby_error error;
    struct msg_fault fault;
    enum status result = msg_decode_lobby_error(message->payload, &error, &fault);
    if (result == STATUS_OK) {
        struct answer answer = {.kind = ANSWER_LOBBY_ERROR, .error = error.error};
        pending_answer(broker->upstream->pending, error.request, &answer, message->now);
    }
    return result;
}

static enum status take_ring_answer(struct broker *broker, const struct message *message)
{
    struct msg_ring_answer said;
    struct msg_fault fault;
    enum status result = msg_decode_ring_answer(message->payload, &said, &fault);
    if (result == STATUS_OK) {
        struct answer answer = {
            .kind = ANSWER_RING, .ring = said.answer, .device = message->topic->peer};
        pending_answer(broker->upstream->pending, said.request, &answer, message->now);
    }
    return result;
}

static enum status take_roomd_stats(struct broker *broker, const struct message *message)
{
    return report_take(&broker->roomd_report, message->payload);
}

static enum status take_gate_stats(struct broker *broker, const struct message *message)
{
    return report_take(&broker->gate_report, message->payload);
}

static enum status (*const takers[TOPIC_KIND_COUNT])(struct broker *, const struct message *) = {
    [TOPIC_ROOM_STATE] = take_room_state,     [TOPIC_ROOM_EXISTS] = take_room_exists,
    [TOPIC_ROOMD_STATUS] = take_roomd_status, [TOPIC_DEVICE_STATUS] = take_device_status,
    [TOPIC_ROOM_CREATED] = take_room_created, [TOPIC_LOBBY_ERROR] = take_lobby_error,
    [TOPIC_ROOMD_STATS] = take_roomd_stats,   [TOPIC_DEVICE_RING_ANSWER] = take_ring_answer,
    [TOPIC_GATE_STATS] = take_gate_stats,
};

static void on_message(void *ctx, const struct topic *topic, struct payload payload, bool retained,
                       int64_t now)
{
    struct broker *broker = ctx;
    const struct message message = {topic, payload, retained, now};
    log_debug("message", LOG_TEXT("broker", broker->config->name),
              LOG_TEXT("kind", topic_event(topic->kind)), LOG_TEXT("room", topic->room),
              LOG_TEXT("peer", topic->peer));
    if (takers[topic->kind] && takers[topic->kind](broker, &message) != STATUS_OK)
        log_warn("message-not-taken", LOG_TEXT("broker", broker->config->name),
                 LOG_TEXT("event", topic_event(topic->kind)), LOG_TEXT("room", topic->room),
                 LOG_TEXT("peer", topic->peer));
}

/* ---- the links ---- */

static struct link *make_link(struct broker *broker, const struct keyring *keyring)
{
    const struct link_options options = {
        .broker = broker->config,
        .keyring = keyring,
        .peer_id = HTTPD_PEER_ID,
        .events = {on_connected, on_disconnected, on_message},
        .ctx = broker,
    };
    return link_new(&options);
}

enum status upstream_init(struct upstream *upstream, const struct config *config,
                          const struct keyring *keyring, struct pending *pending)
{
    *upstream = (struct upstream){.config = config, .pending = pending};
    room_states_init(&upstream->room_states, pending);
    for (unsigned i = 0; i < config->broker_count; i++) {
        struct broker *broker = &upstream->brokers[i];
        *broker = (struct broker){.upstream = upstream,
                                  .index = i,
                                  .config = &config->brokers[i],
                                  .roomd = ROOMD_OFFLINE};
        mirror_init(&broker->rooms);
        mirror_init(&broker->devices);
        upstream->count++;
        broker->link = make_link(broker, keyring);
        if (!broker->link)
            return STATUS_INTERNAL;
    }
    return STATUS_OK;
}

void upstream_set_keyring(struct upstream *upstream, const struct keyring *keyring)
{
    for (unsigned i = 0; i < upstream->count; i++)
        link_set_keyring(upstream->brokers[i].link, keyring);
}

void upstream_clear(struct upstream *upstream)
{
    for (unsigned i = 0; i < upstream->count; i++) {
        link_free(upstream->brokers[i].link);
        mirror_clear(&upstream->brokers[i].rooms);
        mirror_clear(&upstream->brokers[i].devices);
    }
    upstream->count = 0;
}

int64_t upstream_prepare(struct upstream *upstream, struct pollfd *fds, int64_t now)
{
    int64_t deadline = INT64_MAX;
    for (unsigned i = 0; i < upstream->count; i++) {
        struct link *link = upstream->brokers[i].link;
        int64_t wanted = link_deadline(link, now);
        fds[i] = link_prepare(link);
        if (wanted < deadline)
            deadline = wanted;
    }
    return deadline;
}

void upstream_service(struct upstream *upstream, const struct pollfd *fds, int64_t now)
{
    for (unsigned i = 0; i < upstream->count; i++)
        link_service(upstream->brokers[i].link, fds[i].fd < 0 ? 0 : fds[i].revents, now);
}

/* ---- which broker ---- */

static struct room_place look_at(struct broker *broker, const char *room_id)
{
    return (struct room_place){.answer = rooms_view_find(&broker->rooms, room_id),
                               .broker = broker};
}

struct room_place upstream_find_room(struct upstream *upstream, const char *room_id)
{
    struct broker *owner = &upstream->brokers[config_broker_of_room(upstream->config, room_id)];
    struct room_place at_owner = look_at(owner, room_id);
    bool is_elsewhere_known = true;
    for (unsigned i = 0; i < upstream->count && at_owner.answer != ROOM_EXISTS; i++) {
        struct broker *other = &upstream->brokers[i];
        struct room_place place = look_at(other, room_id);
        if (place.answer == ROOM_EXISTS)
            return place;
        if (place.answer == ROOM_UNKNOWN && other != owner && !other->rooms.was_complete)
            is_elsewhere_known = false;
    }
    if (at_owner.answer == ROOM_EXISTS || is_elsewhere_known)
        return at_owner;
    return (struct room_place){.answer = ROOM_UNKNOWN};
}

bool upstream_is_served(const struct broker *broker)
{
    return link_is_connected(broker->link) && broker->roomd != ROOMD_OFFLINE;
}

struct broker *upstream_any_broker(struct upstream *upstream)
{
    struct broker *broker = NULL;
    for (unsigned tries = 0; tries < upstream->count && (!broker || !upstream_is_served(broker));
         tries++)
        broker = &upstream->brokers[upstream->next++ % upstream->count];
    return broker;
}

bool upstream_has_device(const struct broker *broker, const char *device_id)
{
    return devices_view_is_reachable(&broker->devices, device_id);
}

struct broker *upstream_broker_of_device(struct upstream *upstream, const char *device_id)
{
    for (unsigned i = 0; i < upstream->count; i++) {
        if (upstream_has_device(&upstream->brokers[i], device_id))
            return &upstream->brokers[i];
    }
    return NULL;
}

/* ---- questions ---- */

/* Publishes the question of a waiter that was just added; takes the waiter out again when that
 * fails. */
static enum status publish(struct broker *broker, struct waiter *waiter, const struct topic *topic,
                           const char *text, size_t len)
{
    enum status status = len > 0 ? link_publish(broker->link, topic, text, len) : STATUS_INTERNAL;
    if (status != STATUS_OK)
        pending_remove(broker->upstream->pending, waiter);
    return status;
}

/* Makes a waiter for an answer of `device` ("" = roomd) that comes by `broker`. */
static enum status enlist(struct broker *broker, const char *device, struct waiter *waiter)
{
    waiter->broker = broker->index;
    snprintf(waiter->device, sizeof waiter->device, "%s", device);
    return pending_add(broker->upstream->pending, waiter);
}

static const struct topic create_room_topic = {.kind = TOPIC_CREATE_ROOM, .peer = HTTPD_PEER_ID};

static enum status ask_room(struct broker *broker, const char *room_id, bool dry_run,
                            struct waiter *waiter)
{
    char text[EVENT_PAYLOAD_MAX];
    struct msg_create_room message = {.dry_run = dry_run};
    enum status status =
        upstream_is_served(broker) ? enlist(broker, "", waiter) : STATUS_UNAVAILABLE;
    if (status != STATUS_OK)
        return status;
    memcpy(message.request, waiter->request, sizeof message.request);
    snprintf(message.room_id, sizeof message.room_id, "%s", room_id);
    return publish(broker, waiter, &create_room_topic, text,
                   msg_encode_create_room(&message, text, sizeof text));
}

enum status upstream_ask_room(struct broker *broker, const char *room_id, struct waiter *waiter)
{
    return ask_room(broker, room_id, false, waiter);
}

enum status upstream_ask_alive(struct broker *broker, struct waiter *waiter)
{
    return ask_room(broker, "", true, waiter);
}

/* The retained state, once. */
static enum status read_state(struct broker *broker, const char *room_id)
{
    char filter[sizeof "rooms//state" + ROOM_ID_MAX];
    snprintf(filter, sizeof filter, "rooms/%s/state", room_id);
    enum status status = link_subscribe(broker->link, filter, topic_qos(TOPIC_ROOM_STATE));
    return status == STATUS_OK ? link_unsubscribe(broker->link, filter) : status;
}

enum status upstream_ask_state(struct broker *broker, const char *room_id, struct waiter *waiter)
{
    struct room_states *states = &broker->upstream->room_states;
    enum status status = room_states_is_asked(states, broker->index, room_id)
                             ? STATUS_OK
                             : read_state(broker, room_id);
    waiter->broker = broker->index;
    return status == STATUS_OK ? room_states_wait(states, room_id, waiter) : status;
}

enum status upstream_ring(struct broker *broker, const char *device_id, const char *room_id,
                          const char *peer_name, struct waiter *waiter)
{
    char text[EVENT_PAYLOAD_MAX];
    struct topic topic = {.kind = TOPIC_DEVICE_RING};
    enum status status = enlist(broker, device_id, waiter);
    if (status != STATUS_OK)
        return status;
    snprintf(topic.peer, sizeof topic.peer, "%s", device_id);
    return publish(broker, waiter, &topic, text,
                   msg_encode_ring(waiter->request, room_id, peer_name, text, sizeof text));
}

void upstream_expect_peer(struct broker *broker, int64_t now)
{
    if (broker->config->tick_ms > 0)
        link_keep_turning(broker->link, now + PEER_CONNECTS_WITHIN_MS);
}
