/*
 * gate.h's first callback: who comes in, and who may stay after a reload. What a CONNECT has to be
 * is admission.c's to say; here it is held against who else is there, and how often they come.
 */
#include "gate.h"

#include "common/clock.h"
#include "common/log.h"

#include <string.h>

/*
 * Does `admission` of this CONNECT exhaust what its address may do? Who comes by a trusted proxy
 * has the proxy's address; the proxy has to limit it, and here its peer id counts. Services are
 * ours, and so is whoever comes by the Unix socket, which has no address.
 */
static bool connects_too_often(struct gate *gate, const struct mosquitto *connection,
                               const char *client_id, enum admission admission,
                               const struct token_claims *claims)
{
    const char *text = mosquitto_client_address(connection);
    int64_t now = clock_monotonic_ms();
    struct address address;
    if ((admission == ADMISSION_GRANTED && claims->role == ROLE_SERVICE) || !text ||
        !address_parse(text, strlen(text), &address))
        return false;
    if (!address_nets_have(&gate->trusted_proxies, &address))
        return !parties_take(gate->connects, &address, now);
    struct client *client =
        admission == ADMISSION_GRANTED ? clients_get(gate->clients, client_id) : NULL;
    return client && !bucket_take(&client->meter.connects, &gate->rates.connects, 1, now);
}

/*
 * A second roomd does not replace the first, as others do: it waits until that one is gone. So at
 * most one is at work, and whoever comes in takes over (docs/protocol.md, "roomd").
 */
static bool is_taken(const struct gate *gate, const struct token_claims *claims)
{
    return claims->role == ROLE_SERVICE && access_is_roomd(claims->peer_id) &&
           clients_is_connected(gate->clients, claims->peer_id);
}

static enum admission decide_admission(struct gate *gate, const struct mosquitto *connection,
                                       const struct admission_request *request,
                                       struct token_claims *claims)
{
    wall_read(&gate->wall, clock_wall_s(), clock_monotonic_ms());
    enum admission admission = admission_decide(request, gate->keyring, gate->wall.now_s, claims);
    if (admission == ADMISSION_EXPIRED)
        admission = admission_decide(request, gate->keyring,
                                     wall_since(&gate->wall, claims->issued_at), claims);
    if (connects_too_often(gate, connection, request->client_id, admission, claims))
        admission = ADMISSION_TOO_MANY;
    else if (admission == ADMISSION_GRANTED && is_taken(gate, claims))
        admission = ADMISSION_TAKEN;
    gate->counts.connects[admission]++;
    return admission;
}

/* Those that come by the second are counted, and are no flood of lines. */
static void log_refusal(const struct mosquitto *connection, const char *client_id,
                        enum admission admission)
{
    const struct log_field fields[] = {LOG_TEXT("id", client_id),
                                       LOG_TEXT("reason", admission_name(admission)),
                                       LOG_TEXT("address", mosquitto_client_address(connection)),
                                       {0}};
    bool often = admission == ADMISSION_TOO_MANY || admission == ADMISSION_TAKEN;
    log_write(often ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "refused", fields);
}

/*
 * A reload asks about every session, also about one that we have forgotten: to refuse it would have
 * Mosquitto 2.0 end it twice, which corrupts its memory. Between the reload and the tick only
 * WebSockets are served, and a session without a connection is none; should it be somebody new all
 * the same: whom we do not know may neither say nor hear anything.
 */
static bool is_forgotten(struct gate *gate, const struct mosquitto *connection,
                         const char *client_id)
{
    return gate->reloading && client_id &&
           peer_id_role(client_id, strlen(client_id)) == ROLE_PEER &&
           mosquitto_client_protocol(connection) != mp_websockets &&
           !clients_get(gate->clients, client_id);
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

    if (is_forgotten(gate, auth->client, request.client_id))
        return MOSQ_ERR_SUCCESS;
    const struct client *known =
        gate->reloading ? clients_find(gate->clients, request.client_id, auth->client) : NULL;
    if (known) {
        if (admission_may_stay(known, request.password, gate->keyring, clock_wall_s()))
            return MOSQ_ERR_SUCCESS;
        log_warn("put-out", LOG_TEXT("id", request.client_id), LOG_TEXT("reason", "key-removed"));
        return MOSQ_ERR_AUTH;
    }

    struct token_claims claims = {.role = ROLE_NONE};
    enum admission admission = decide_admission(gate, auth->client, &request, &claims);
    if (admission != ADMISSION_GRANTED) {
        log_refusal(auth->client, request.client_id, admission);
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
