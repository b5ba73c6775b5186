/*
 * MQTT by Parley's contract, as the page and devices speak it (docs/protocol.md): for Parley
 * itself, and for a bare Mosquitto with the stub beside it that answers joins.
 */
#include "mqtt.h"
#include "peer.h"

#include "common/clock.h"
#include "common/messages.h"
#include "common/token.h"
#include "common/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_S      120
#define TOKEN_LIFE_S     86400
#define SIGNAL_EXPIRY_S  30
#define SESSION_EXPIRY_S 120
#define FILTER_MAX       TOPIC_MAX
#define SESSION          "bench"

static enum mqtt_version version_of(const struct peer *peer)
{
    return peer->target->mqtt_version == 5 ? MQTT_5 : MQTT_3_1_1;
}

static unsigned next_packet_id(struct peer *peer)
{
    peer->packet_id = peer->packet_id % 65535 + 1;
    return peer->packet_id;
}

static void send_buffer(struct peer *peer, struct buffer *packet)
{
    peer_write(peer, packet->bytes, packet->len);
    buffer_free(packet);
}

static void publish(struct peer *peer, enum topic_kind kind, const char *to, const char *payload,
                    size_t len)
{
    char name[TOPIC_MAX + 1];
    struct topic topic = {.kind = kind};
    struct buffer packet = {0};
    bool is_signal = to != peer->id;
    int qos = is_signal && peer->target->qos >= 0 ? peer->target->qos : topic_qos(kind);
    snprintf(topic.room, sizeof topic.room, "%s", peer->room);
    snprintf(topic.peer, sizeof topic.peer, "%s", to);
    if (is_signal)
        snprintf(topic.from, sizeof topic.from, "%s", peer->id);
    topic_format(&topic, name);
    mqtt_publish(&packet, version_of(peer), name, payload, len, qos, qos ? next_packet_id(peer) : 0,
                 is_signal ? SIGNAL_EXPIRY_S : 0);
    send_buffer(peer, &packet);
}

/* ---- getting in ---- */

static void path(const struct peer *peer, char *out, size_t size)
{
    (void)peer;
    snprintf(out, size, "/");
}

static void make_token(struct peer *peer)
{
    struct token_claims claims = {.role = peer->target->has_devices ? ROLE_DEVICE : ROLE_PEER,
                                  .issued_at = clock_wall_s()};
    claims.expires_at = claims.issued_at + TOKEN_LIFE_S;
    snprintf(claims.peer_id, sizeof claims.peer_id, "%s", peer->id);
    if (claims.role == ROLE_PEER)
        snprintf(claims.room, sizeof claims.room, "%s", peer->room);
    peer->token = calloc(1, TOKEN_MAX + 1);
    if (!peer->token)
        abort();
    if (peer->target->keys && token_sign(peer->target->keys, &claims, peer->token) != STATUS_OK)
        abort();
}

static void opened(struct peer *peer)
{
    char will[TOPIC_MAX + 1];
    struct topic topic = {.kind = TOPIC_GONE};
    struct buffer packet = {0};
    if (peer->target->has_devices)
        topic.kind = TOPIC_DEVICE_STATUS;
    snprintf(topic.room, sizeof topic.room, "%s", peer->room);
    snprintf(topic.peer, sizeof topic.peer, "%s", peer->id);
    topic_format(&topic, will);
    if (!peer->token)
        make_token(peer);
    const struct mqtt_connect how = {.client_id = peer->id,
                                     .password = peer->token,
                                     .will_topic = will,
                                     .will_payload = peer->target->has_devices
                                                         ? "{\"state\":\"offline\"}"
                                                         : "{\"session\":\"" SESSION "\"}",
                                     .keepalive_s = KEEPALIVE_S,
                                     .session_expiry_s = SESSION_EXPIRY_S};
    mqtt_connect(&packet, version_of(peer), &how);
    send_buffer(peer, &packet);
}

/* What the page subscribes to; a device that waits for a ring is in no room, and has its inbox
 * alone. */
static void subscribe(struct peer *peer)
{
    char inbox[FILTER_MAX + 1], state[FILTER_MAX + 1];
    struct buffer packet = {0};
    const struct mqtt_filter filters[] = {{inbox, 1}, {state, 0}};
    const bool is_device = peer->target->has_devices;
    if (is_device)
        snprintf(inbox, sizeof inbox, TOPIC_ROOT "devices/%s/#", peer->id);
    else
        snprintf(inbox, sizeof inbox, TOPIC_ROOT "rooms/%s/to/%s/#", peer->room, peer->id);
    snprintf(state, sizeof state, TOPIC_ROOT "rooms/%s/state", peer->room);
    mqtt_subscribe(&packet, version_of(peer), next_packet_id(peer), filters, is_device ? 1 : 2);
    send_buffer(peer, &packet);
}

/* ---- what comes ---- */

static void take_state(struct peer *peer, const struct mqtt_packet *packet)
{
    if (!peer->is_leaving ||
        memmem(packet->payload, packet->payload_len, peer->id, strlen(peer->id)))
        return;
    peer->is_leaving = false;
    peer->saw(peer, SAW_LEFT);
}

static void take_publish(struct peer *peer, const struct mqtt_packet *packet)
{
    struct topic topic;
    if (packet->qos > 0) {
        struct buffer ack = {0};
        mqtt_puback(&ack, packet->packet_id);
        send_buffer(peer, &ack);
    }
    topic_parse(packet->topic, packet->topic_len, &topic);
    switch (topic.kind) {
    case TOPIC_ROOM_STATE:
        take_state(peer, packet);
        break;
    case TOPIC_JOINED:
        peer->saw(peer, SAW_JOINED);
        break;
    case TOPIC_USER_ARRIVED:
        peer->saw(peer, SAW_ARRIVED);
        break;
    case TOPIC_OFFER:
        peer->saw(peer, SAW_OFFER);
        break;
    case TOPIC_ANSWER:
        peer->saw(peer, SAW_ANSWER);
        break;
    case TOPIC_CANDIDATE:
        peer->saw(peer, SAW_CANDIDATES);
        break;
    case TOPIC_CUT_NOTICE:
        peer->saw(peer, SAW_CUT);
        break;
    case TOPIC_FULL_ROOM:
    case TOPIC_ROOM_ERROR:
        peer_fail(peer, "refused by roomd");
        break;
    default:
        break;
    }
}

static void take_packet(struct peer *peer, const struct mqtt_packet *packet)
{
    if (packet->type == MQTT_CONNACK && packet->code != 0) {
        peer_fail(peer, "refused by the broker");
    } else if (packet->type == MQTT_CONNACK) {
        subscribe(peer);
        peer->saw(peer, SAW_OPEN);
    } else if (packet->type == MQTT_SUBACK && packet->code >= 0x80) {
        peer_fail(peer, "a subscription is refused");
    } else if (packet->type == MQTT_PUBLISH) {
        take_publish(peer, packet);
    } else if (packet->type == MQTT_DISCONNECT) {
        peer_fail(peer, "put out by the broker");
    }
}

static long take(struct peer *peer, const char *bytes, size_t len)
{
    struct mqtt_packet packet;
    size_t at = 0;
    while (at < len) {
        long used = mqtt_read(bytes + at, len - at, version_of(peer), &packet);
        if (used < 0)
            return -1;
        if (used == 0)
            break;
        take_packet(peer, &packet);
        if (peer->conn.fd < 0)
            return 0;
        at += (size_t)used;
    }
    return (long)at;
}

/* ---- what a peer does ---- */

static void join(struct peer *peer)
{
    static const char payload[] = "{\"session\":\"" SESSION "\",\"peer_name\":\"Bench\"}";
    publish(peer, TOPIC_JOIN, peer->id, payload, sizeof payload - 1);
}

static void leave(struct peer *peer)
{
    static const char payload[] = "{\"session\":\"" SESSION "\"}";
    peer->is_leaving = true;
    publish(peer, TOPIC_CUT_REQUEST, peer->id, payload, sizeof payload - 1);
}

static void send_signal(struct peer *peer, enum signal_kind kind, const char *body, size_t len)
{
    static const enum topic_kind kinds[] = {[SIGNAL_OFFER] = TOPIC_OFFER,
                                            [SIGNAL_ANSWER] = TOPIC_ANSWER,
                                            [SIGNAL_CANDIDATES] = TOPIC_CANDIDATE};
    struct buffer payload = {0};
    const bool has_sdp = kind != SIGNAL_CANDIDATES;
    buffer_add_text(&payload, "{\"session\":\"" SESSION "\",");
    buffer_add_text(&payload, has_sdp ? "\"sdp\":\"" : "\"candidates\":[");
    buffer_add(&payload, body, len);
    buffer_add_text(&payload, has_sdp ? "\"}" : "],\"done\":false}");
    publish(peer, kinds[kind], peer->other, payload.bytes, payload.len);
    buffer_free(&payload);
}

static void ping(struct peer *peer)
{
    struct buffer packet = {0};
    mqtt_pingreq(&packet);
    send_buffer(peer, &packet);
}

static void farewell(struct peer *peer)
{
    struct buffer packet = {0};
    mqtt_disconnect(&packet, version_of(peer));
    send_buffer(peer, &packet);
}

const struct dialect dialect_mqtt = {.has_rooms = true,
                                     .has_batches = true,
                                     .opcode = WS_BINARY,
                                     .subprotocol = "mqtt",
                                     .path = path,
                                     .opened = opened,
                                     .take = take,
                                     .join = join,
                                     .leave = leave,
                                     .signal = send_signal,
                                     .ping = ping,
                                     .farewell = farewell};
