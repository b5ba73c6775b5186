#include "gate.h"

#include "say.h"

#include "common/bundle.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/messages.h"
#include "common/topics.h"

#include <mosquitto_plugin.h> /* after the broker's header, whose types it uses */
#include <string.h>

static bool is_member(void *ctx, const char *room, const char *peer_id)
{
    return members_has(ctx, room, peer_id);
}

/* ---- limits ---- */

/* The client is put out at the next tick; when too many are due already, one of its next messages
 * sees to it. */
static void doom(struct gate *gate, const char *peer_id)
{
    for (unsigned i = 0; i < gate->doomed_count; i++) {
        if (strcmp(gate->doomed[i], peer_id) == 0)
            return;
    }
    if (gate->doomed_count < GATE_DOOMED_MAX)
        strcpy(gate->doomed[gate->doomed_count++], peer_id);
}

static void put_out_the_doomed(struct gate *gate)
{
    for (unsigned i = 0; i < gate->doomed_count; i++) {
        const char *id = gate->doomed[i];
        if (!clients_is_connected(gate->clients, id))
            continue;
        gate->counts.put_out++;
        log_warn("put-out", LOG_TEXT("id", id), LOG_TEXT("reason", "over-limit"));
        mosquitto_kick_client_by_clientid(id, true);
    }
    gate->doomed_count = 0;
}

/* Is `client`, who may do this otherwise, within its limits? `*tell`: it is not, and should hear of
 * it. */
static bool is_within_limits(struct gate *gate, struct client *client, enum access_op op,
                             size_t bytes, bool *tell)
{
    int64_t now = clock_monotonic_ms();
    *tell = false;
    /* A will is sent once the connection has ended. */
    if (client->who.role == ROLE_SERVICE || !client->connected)
        return true;
    enum meter_limit limit = op == ACCESS_WRITE
                                 ? meter_publish(&client->meter, &gate->rates, bytes, now)
                                 : meter_subscribe(&client->meter, &gate->rates, now);
    switch (limit) {
    case METER_FINE:
        return true;
    case METER_MESSAGES:
        gate->counts.too_many_messages++;
        break;
    case METER_BYTES:
        gate->counts.too_many_bytes++;
        break;
    case METER_SUBSCRIBES:
        gate->counts.too_many_subscribes++;
        break;
    }
    switch (meter_refuse(&client->meter, now)) {
    case METER_SILENT:
        break;
    case METER_TELL:
        *tell = true;
        break;
    case METER_PUT_OUT:
        doom(gate, client->who.peer_id);
        break;
    }
    return false;
}

/* ---- the access table ---- */

/* Why `client` may not publish this, as an error it may be told; STATUS_FORBIDDEN: nothing tells
 * it. */
static enum status judge_publish(struct gate *gate, struct client *client,
                                 const struct mosquitto_evt_acl_check *check,
                                 const struct topic *topic)
{
    bool tell;
    bool within = is_within_limits(gate, client, ACCESS_WRITE, check->payloadlen, &tell);
    enum access_answer answer = access_decide(&client->who, ACCESS_WRITE, check->topic,
                                              check->retain, is_member, gate->members);
    if (!within)
        return tell && answer != ACCESS_DENIED ? STATUS_TOO_MANY_REQUESTS : STATUS_FORBIDDEN;
    switch (answer) {
    case ACCESS_ALLOWED:
        break;
    case ACCESS_NOT_A_MEMBER:
        gate->counts.not_a_member++;
        return STATUS_NOT_A_MEMBER;
    case ACCESS_DENIED:
        return STATUS_FORBIDDEN;
    }
    /* What is no topic of the contract is roomd's or httpd's own affair. */
    if (check->payloadlen <=
        (topic->kind == TOPIC_NONE ? PAYLOAD_MAX : topic_payload_max(topic->kind)))
        return STATUS_OK;
    gate->counts.too_large++;
    return STATUS_TOO_LARGE;
}

/* Called for every publish, and for a will when it is sent. */
static int check_write(struct gate *gate, struct client *client,
                       const struct mosquitto_evt_acl_check *check)
{
    struct topic topic;
    topic_parse(check->topic, strlen(check->topic), &topic);
    enum status error = judge_publish(gate, client, check, &topic);
    if (error == STATUS_OK) {
        if (topic.kind == TOPIC_ROOMD_STATUS) /* a will is no message event */
            roomd_status_learn(&gate->roomd_status, gate->clients,
                               (struct payload){check->payload, check->payloadlen});
        return MOSQ_ERR_SUCCESS;
    }
    gate->counts.denied_publishes++;
    log_debug("denied", LOG_TEXT("id", client->who.peer_id), LOG_TEXT("publish", check->topic),
              LOG_TEXT("error", status_id(error)));
    if (error != STATUS_FORBIDDEN && client->connected)
        say_error(&client->who, &topic, error);
    return MOSQ_ERR_ACL_DENIED;
}

static int check_subscribe(struct gate *gate, struct client *client, const char *filter)
{
    bool tell;
    if (is_within_limits(gate, client, ACCESS_SUBSCRIBE, 0, &tell) &&
        access_decide(&client->who, ACCESS_SUBSCRIBE, filter, false, is_member, gate->members) ==
            ACCESS_ALLOWED) {
        roomd_status_note(gate->clients, client, filter);
        return MOSQ_ERR_SUCCESS;
    }
    gate->counts.denied_subscribes++;
    return MOSQ_ERR_ACL_DENIED;
}

/*
 * Is there room for another message to `client`, on its connection or in its kept session? Services
 * and operators read everything, and are ours.
 */
static bool has_room(struct gate *gate, struct client *client, size_t bytes)
{
    if (client->who.role == ROLE_SERVICE || client->who.role == ROLE_OPERATOR)
        return true;
    if (!client->connected) {
        bool fits = meter_queue(&client->meter, bytes);
        gate->counts.queue_full += !fits;
        return fits;
    }
    if (meter_deliver(&client->meter, &gate->rates, bytes, clock_monotonic_ms()))
        return true;
    gate->counts.inbox_full++;
    doom(gate, client->who.peer_id);
    return false;
}

/* A kept session without a connection gets what may be queued for it; the broker asks again, by the
 * token of the next connection, before it hands that out. */
static int check_delivery(struct gate *gate, struct client *client,
                          const struct mosquitto_evt_acl_check *check)
{
    if (access_decide(&client->who, ACCESS_READ, check->topic, false, is_member, gate->members) !=
        ACCESS_ALLOWED) {
        gate->counts.denied_deliveries++;
        return MOSQ_ERR_ACL_DENIED;
    }
    return has_room(gate, client, check->payloadlen) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

/*
 * A connection that is not the newest of its id may do nothing any more: so the will of one that
 * was replaced is not sent, and a reload of a page never shows as a loss.
 */
int gate_on_acl_check(int event, void *data, void *userdata)
{
    (void)event;
    struct gate *gate = userdata;
    const struct mosquitto_evt_acl_check *check = data;
    struct client *client =
        clients_find(gate->clients, mosquitto_client_id(check->client), check->client);
    if (!client)
        return MOSQ_ERR_ACL_DENIED;
    switch (check->access) {
    case MOSQ_ACL_WRITE:
        return check_write(gate, client, check);
    case MOSQ_ACL_SUBSCRIBE:
        return check_subscribe(gate, client, check->topic);
    case MOSQ_ACL_READ:
        return check_delivery(gate, client, check);
    case MOSQ_ACL_UNSUBSCRIBE: /* Takes nothing from anybody else. */
        return MOSQ_ERR_SUCCESS;
    default:
        return MOSQ_ERR_ACL_DENIED;
    }
}

/* ---- what the gate learns and tells ---- */

/*
 * Learns the members before anybody else hears of a state. False for one that the gate does not
 * understand, which is not passed on: all see the same, or nobody.
 */
static bool learn_members(struct gate *gate, const struct topic *topic, struct payload payload)
{
    struct msg_room room;
    struct msg_fault fault = {.why = ""};
    if (payload.len == 0) {
        members_remove(gate->members, topic->room);
        return true;
    }
    if (msg_decode_room(payload, &room, &fault) == STATUS_OK &&
        strcmp(room.room_id, topic->room) == 0 && members_set(gate->members, &room) == STATUS_OK)
        return true;
    gate->counts.bad_states++;
    log_error("bad-state", LOG_TEXT("room", topic->room), LOG_TEXT("why", fault.why));
    members_remove(gate->members, topic->room);
    return false;
}

/* What roomd has to tell, one after the other. */
static void unpack(struct gate *gate, struct payload rest)
{
    struct topic topic;
    struct payload payload;
    while (bundle_next(&rest, &topic, &payload)) {
        if (topic.kind != TOPIC_ROOM_STATE || learn_members(gate, &topic, payload))
            say_for_roomd(&topic, payload);
        if (topic.kind == TOPIC_ROOMD_STATUS)
            roomd_status_learn(&gate->roomd_status, gate->clients, payload);
    }
    if (rest.len > 0) {
        gate->counts.bad_states++;
        log_error("bad-bundle", LOG_NUMBER("bytes_left", rest.len));
    }
}

/* (Only a service may publish states and bundles, common/access.c, so the others need no look.) */
int gate_on_message(int event, void *data, void *userdata)
{
    (void)event;
    struct gate *gate = userdata;
    const struct mosquitto_evt_message *message = data;
    const struct client *sender =
        clients_find(gate->clients, mosquitto_client_id(message->client), message->client);
    struct payload payload = {message->payload, message->payloadlen};
    struct topic topic;
    if (!sender || sender->who.role != ROLE_SERVICE ||
        !topic_parse(message->topic, strlen(message->topic), &topic))
        return MOSQ_ERR_SUCCESS;
    switch (topic.kind) {
    case TOPIC_ROOM_STATE:
        return learn_members(gate, &topic, payload) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
    case TOPIC_GATE_PUBLISH:
        unpack(gate, payload);
        return MOSQ_ERR_ACL_DENIED; /* it is not for anybody else */
    default:
        return MOSQ_ERR_SUCCESS;
    }
}

int gate_on_disconnect(int event, void *data, void *userdata)
{
    (void)event;
    struct gate *gate = userdata;
    const struct mosquitto_evt_disconnect *disconnect = data;
    clients_leave(gate->clients, mosquitto_client_id(disconnect->client), disconnect->client,
                  clock_monotonic_ms());
    return MOSQ_ERR_SUCCESS;
}

struct departure {
    struct gate *gate;
    const char *peer_id;
};

static void tell_gone(void *ctx, const char *room)
{
    const struct departure *departure = ctx;
    say_gone(room, departure->peer_id);
    departure->gate->counts.gone++;
}

static void tell_departure(void *ctx, const struct client *client)
{
    struct gate *gate = ctx;
    const struct access_who *who = &client->who;
    struct departure departure = {gate, who->peer_id};
    if (who->role == ROLE_PEER && members_has(gate->members, who->room, who->peer_id))
        tell_gone(&departure, who->room);
    else if (who->role == ROLE_DEVICE)
        members_each_room_of(gate->members, who->peer_id, tell_gone, &departure);
}

/* The first turn of the loop comes when all listeners are open. */
static void look_at_listeners(struct gate *gate)
{
    if (gate->listening)
        return;
    gate->listening = true;
    if (gate->certificates)
        log_info("tls", LOG_NUMBER("listeners", certificates_adopt(gate->certificates)));
}

static void tell_stats(struct gate *gate, int64_t now)
{
    const struct gate_gauges gauges = {
        .connected = clients_connected_count(gate->clients),
        .known = clients_count(gate->clients),
        .rooms = members_room_count(gate->members),
    };
    gate->stats_next = now + GATE_STATS_EVERY_MS;
    if (memcmp(&gate->told.counts, &gate->counts, sizeof gate->counts) == 0 &&
        memcmp(&gate->told.gauges, &gauges, sizeof gauges) == 0)
        return;
    gate->told.counts = gate->counts;
    gate->told.gauges = gauges;
    say_stats(&gate->counts, &gauges);
}

/*
 * Once a turn of the broker's loop. Departures are told here and not when they happen: who left and
 * came back within one turn is not gone, and nothing of a client that comes back later can overtake
 * its `gone`, which the broker sends before it reads again.
 */
int gate_on_tick(int event, void *data, void *userdata)
{
    (void)event;
    (void)data;
    struct gate *gate = userdata;
    int64_t now = clock_monotonic_ms();
    gate->reloading = false;
    wall_read(&gate->wall, clock_wall_s(), now);
    look_at_listeners(gate);
    put_out_the_doomed(gate);
    roomd_status_answer(&gate->roomd_status, gate->clients);
    clients_settle(gate->clients, now, tell_departure, gate);
    if (now >= gate->stats_next)
        tell_stats(gate, now);
    return MOSQ_ERR_SUCCESS;
}
