#include "mqtt.h"
#include "work.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/token.h"
#include "common/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE        "d-bench-rooms"
#define UNDER_WAY_MAX 64
#define KEEPALIVE_S   120

/* A device that asks one broker for the rooms that belong there, over TCP and MQTT 3.1.1. */
struct asker {
    struct conn conn; /* first */
    struct bench *bench;
    unsigned broker;
    unsigned next, count; /* rooms looked at, of all there are to be */
    unsigned asked, made;
    unsigned packet_id;
};

static void send_buffer(struct asker *asker, struct buffer *packet)
{
    conn_write(&asker->conn, packet->bytes, packet->len);
    buffer_free(packet);
}

static void on_open(struct conn *conn)
{
    struct asker *asker = (struct asker *)conn;
    struct token_claims claims = {.role = ROLE_DEVICE, .peer_id = DEVICE};
    struct buffer packet = {0};
    char token[TOKEN_MAX + 1];
    claims.issued_at = clock_wall_s();
    claims.expires_at = claims.issued_at + 3600;
    if (token_sign(asker->bench->target.keys, &claims, token) != STATUS_OK)
        abort();
    const struct mqtt_connect how = {.client_id = DEVICE,
                                     .password = token,
                                     .will_topic = TOPIC_ROOT "devices/" DEVICE "/status",
                                     .will_payload = "{\"state\":\"offline\"}",
                                     .keepalive_s = KEEPALIVE_S};
    mqtt_connect(&packet, MQTT_3_1_1, &how);
    send_buffer(asker, &packet);
}

static void ask_for(struct asker *asker, const char *room)
{
    struct buffer packet = {0};
    char text[256];
    int len = snprintf(text, sizeof text, "{\"request\":\"bench\",\"room_id\":\"%s\"}", room);
    asker->packet_id = asker->packet_id % 65535 + 1;
    mqtt_publish(&packet, MQTT_3_1_1, TOPIC_ROOT "lobby/from/" DEVICE "/create-room", text,
                 (size_t)len, 1, asker->packet_id, 0);
    send_buffer(asker, &packet);
    asker->asked++;
}

static void ask(struct asker *asker)
{
    while (asker->next < asker->count && asker->asked - asker->made < UNDER_WAY_MAX) {
        char room[ROOM_ID_MAX + 1];
        work_room_name(asker->next++, room);
        if (config_broker_of_room(asker->bench->target.parley, room) == asker->broker)
            ask_for(asker, room);
    }
}

static void take(struct asker *asker, const struct mqtt_packet *packet)
{
    static const struct mqtt_filter inbox = {TOPIC_ROOT "lobby/to/" DEVICE "/#", 1};
    struct buffer answer = {0};
    struct topic topic;
    asker->bench->moved = monotonic_ns();
    if (packet->type == MQTT_CONNACK && packet->code != 0) {
        asker->bench->fault = "the broker refuses the device that asks for rooms";
    } else if (packet->type == MQTT_CONNACK) {
        mqtt_subscribe(&answer, MQTT_3_1_1, ++asker->packet_id, &inbox, 1);
        send_buffer(asker, &answer);
    } else if (packet->type == MQTT_PUBLISH) {
        mqtt_puback(&answer, packet->packet_id);
        send_buffer(asker, &answer);
        topic_parse(packet->topic, packet->topic_len, &topic);
        if (topic.kind == TOPIC_ROOM_CREATED)
            asker->made++;
        else
            asker->bench->fault = "roomd refuses a room";
    }
    if (packet->type == MQTT_PUBLISH || packet->type == MQTT_SUBACK)
        ask(asker);
}

static void on_input(struct conn *conn)
{
    struct asker *asker = (struct asker *)conn;
    struct mqtt_packet packet;
    long used;
    while ((used = mqtt_read(conn->in.bytes, conn->in.len, MQTT_3_1_1, &packet)) > 0) {
        take(asker, &packet);
        buffer_take(&conn->in, (size_t)used);
    }
}

static void on_lost(struct conn *conn, const char *why)
{
    ((struct asker *)conn)->bench->fault = why;
}

static const struct conn_events events = {.open = on_open, .input = on_input, .lost = on_lost};

static bool are_made(void *ctx)
{
    const struct asker *asker = ctx;
    return asker->next == asker->count && asker->packet_id > 0 && asker->made == asker->asked;
}

static bool make_at(struct bench *bench, unsigned broker, unsigned count)
{
    struct asker asker = {.bench = bench, .broker = broker, .count = count};
    conn_open(&asker.conn, &bench->net, &events, bench->target.parley->brokers[broker].mqtt_port);
    bool fine = work_until(bench, are_made, &asker, "rooms");
    conn_close(&asker.conn);
    return fine;
}

bool work_rooms(struct bench *bench, unsigned count)
{
    struct stretch begin = stretch_begin(&bench->procs);
    bool fine = true;
    for (unsigned i = 0; i < bench->target.parley->broker_count && fine; i++)
        fine = make_at(bench, i, count);
    if (fine)
        stretch_print(&begin, &bench->procs, "rooms", count, NULL);
    return fine;
}
