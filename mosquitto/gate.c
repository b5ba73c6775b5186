#include "gate.h"

#include "say.h"

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

int gate_on_basic_auth(int event, void *data, void *userdata)
{
    (void)event;
    struct gate *gate = userdata;
    const struct mosquitto_evt_basic_auth *auth = data;
    struct admission_request request = {
        .client_id = mosquitto_client_id(auth->client),
        .user_name = auth->username,
        .password = auth->password,
        .keepalive = mosquitto_client_keepalive(auth->client),
        .protocol_version = mosquitto_client_protocol_version(auth->client),
    };
    int64_t now = clock_wall_s();

    const struct client *known =
        gate->reloading ? clients_find(gate->clients, request.client_id, auth->client) : NULL;
    if (known) {
        if (admission_may_stay(known, request.password, gate->keyring, now))
            return MOSQ_ERR_SUCCESS;
        log_warn("put-out", LOG_TEXT("id", request.client_id), LOG_TEXT("reason", "key-removed"));
        return MOSQ_ERR_AUTH;
    }

    struct token_claims claims;
    enum admission admission = admission_decide(&request, gate->keyring, now, &claims);
    gate->counts.admissions[admission]++;
    if (admission != ADMISSION_GRANTED) {
        log_info("refused", LOG_TEXT("id", request.client_id),
                 LOG_TEXT("reason", admission_name(admission)),
                 LOG_TEXT("address", mosquitto_client_address(auth->client)));
        return MOSQ_ERR_AUTH;
    }
    if (clients_is_connected(gate->clients, claims.peer_id)) {
        log_info("replaced", LOG_TEXT("id", claims.peer_id));
        /*
         * The id still names the old connection here, at the broker and in our table: the broker
         * asks once more whether it may keep its subscriptions, which the new one inherits. An MQTT
         * 5 client hears 0x98 this way, and so knows that it has to stay away.
         */
        if (!gate->broker_tells_replaced)
            mosquitto_kick_client_by_clientid(claims.peer_id, false);
    }
    if (clients_put(gate->clients, &claims, request.password, auth->client) != STATUS_OK) {
        log_error("out-of-memory", LOG_TEXT("id", claims.peer_id));
        return MOSQ_ERR_AUTH;
    }
    return MOSQ_ERR_SUCCESS;
}

/* Called for every publish, and for a will when it is sent. */
static int check_write(struct gate *gate, const struct client *client,
                       const struct mosquitto_evt_acl_check *check)
{
    const struct access_who *who = &client->who;
    struct topic topic;
    topic_parse(check->topic, strlen(check->topic), &topic);
    enum status error = STATUS_OK;
    switch (
        access_decide(who, ACCESS_WRITE, check->topic, check->retain, is_member, gate->members)) {
    case ACCESS_ALLOWED:
        /* What is no topic of the contract is roomd's or httpd's own affair. */
        if (check->payloadlen <=
            (topic.kind == TOPIC_NONE ? PAYLOAD_MAX : topic_payload_max(topic.kind)))
            return MOSQ_ERR_SUCCESS;
        gate->counts.too_large++;
        error = STATUS_TOO_LARGE;
        break;
    case ACCESS_NOT_A_MEMBER:
        gate->counts.not_a_member++;
        error = STATUS_NOT_A_MEMBER;
        break;
    case ACCESS_DENIED:
        break;
    }
    gate->counts.denied[ACCESS_WRITE]++;
    log_debug("denied", LOG_TEXT("id", who->peer_id), LOG_TEXT("publish", check->topic),
              LOG_TEXT("error", status_id(error)));
    if (error != STATUS_OK && client->connected)
        say_error(who, &topic, error);
    return MOSQ_ERR_ACL_DENIED;
}

/*
 * A connection that is not the newest of its id may do nothing any more: so the will of one that
 * was replaced is not sent, and a reload of a page never shows as a loss. A kept session without a
 * connection may still get what will be queued for it; the broker asks again, by the token of the
 * next connection, before it hands that out.
 */
int gate_on_acl_check(int event, void *data, void *userdata)
{
    (void)event;
    struct gate *gate = userdata;
    const struct mosquitto_evt_acl_check *check = data;
    const struct client *client =
        clients_find(gate->clients, mosquitto_client_id(check->client), check->client);
    if (!client)
        return MOSQ_ERR_ACL_DENIED;
    enum access_op op;
    switch (check->access) {
    case MOSQ_ACL_WRITE:
        return check_write(gate, client, check);
    case MOSQ_ACL_SUBSCRIBE:
        op = ACCESS_SUBSCRIBE;
        break;
    case MOSQ_ACL_READ:
        op = ACCESS_READ;
        break;
    case MOSQ_ACL_UNSUBSCRIBE: /* Takes nothing from anybody else. */
        return MOSQ_ERR_SUCCESS;
    default:
        return MOSQ_ERR_ACL_DENIED;
    }
    if (access_decide(&client->who, op, check->topic, false, is_member, gate->members) ==
        ACCESS_ALLOWED)
        return MOSQ_ERR_SUCCESS;
    gate->counts.denied[op]++;
    return MOSQ_ERR_ACL_DENIED;
}

/* Learns the members before anybody else hears of a state. A state that the gate does not
 * understand is not passed on: all see the same, or nobody. */
int gate_on_message(int event, void *data, void *userdata)
{
    (void)event;
    struct gate *gate = userdata;
    const struct mosquitto_evt_message *message = data;
    const struct client *sender =
        clients_find(gate->clients, mosquitto_client_id(message->client), message->client);
    struct topic topic;
    /* Only a service may publish states (common/access.c), so the others need no look. */
    if (!sender || sender->who.role != ROLE_SERVICE ||
        !topic_parse(message->topic, strlen(message->topic), &topic) ||
        topic.kind != TOPIC_ROOM_STATE)
        return MOSQ_ERR_SUCCESS;
    if (message->payloadlen == 0) {
        members_remove(gate->members, topic.room);
        return MOSQ_ERR_SUCCESS;
    }
    struct msg_room room;
    struct msg_fault fault = {.why = ""};
    struct payload payload = {message->payload, message->payloadlen};
    if (msg_decode_room(payload, &room, &fault) == STATUS_OK &&
        strcmp(room.room_id, topic.room) == 0 && members_set(gate->members, &room) == STATUS_OK)
        return MOSQ_ERR_SUCCESS;
    gate->counts.bad_states++;
    log_error("bad-state", LOG_TEXT("room", topic.room), LOG_TEXT("why", fault.why));
    members_remove(gate->members, topic.room);
    return MOSQ_ERR_ACL_DENIED;
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
    gate->reloading = false;
    look_at_listeners(gate);
    clients_settle(gate->clients, clock_monotonic_ms(), tell_departure, gate);
    return MOSQ_ERR_SUCCESS;
}
