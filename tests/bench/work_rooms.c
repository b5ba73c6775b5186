#include "mqtt.h"
#include "work.h"

#include "common/clock.h"
#include "common/token.h"
#include "common/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE        "d-bench-rooms"
#define UNDER_WAY_MAX 64
#define KEEPALIVE_S   120

/* A device that asks for rooms, over TCP and MQTT 3.1.1. */
struct asker {
    struct conn conn; /* first */
    struct bench *bench;
    unsigned count, asked, made;
    unsigned packet_id;
    const char *fault;
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

static void ask(struct asker *asker)
{
    while (asker->asked < asker->count && asker->asked - asker->made < UNDER_WAY_MAX) {
        struct buffer packet = {0};
        char room[ROOM_ID_MAX + 1], text[256];
        work_room_name(asker->asked++, room);
        int len = snprintf(text, sizeof text, "{\"request\":\"bench\",\"room_id\":\"%s\"}", room);
        asker->packet_id = asker->packet_id % 65535 + 1;
        mqtt_publish(&packet, MQTT_3_1_1, TOPIC_ROOT "lobby/from/" DEVICE "/create-room", text,
                     (size_t)len, 1, asker->packet_id, 0);
        send_buffer(asker, &packet);
    }
}

static void take(struct asker *asker, const struct mqtt_packet *packet)
{
    static const struct mqtt_filter inbox = {TOPIC_ROOT "lobby/to/" DEVICE "/#", 1};
    struct buffer answer = {0};
    struct topic topic;
    if (packet->type == MQTT_CONNACK && packet->code != 0) {
        asker->fault = "the broker refuses the device that asks for rooms";
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
            asker->fault = "roomd refuses a room";
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
    ((struct asker *)conn)->fault = why;
}

static const struct conn_events events = {.open = on_open, .input = on_input, .lost = on_lost};

static bool are_made(void *ctx)
{
    const struct asker *asker = ctx;
    return asker->fault || asker->made == asker->count;
}

bool work_rooms(struct bench *bench, const struct sockaddr_in *over_tcp, unsigned count)
{
    struct asker asker = {.bench = bench, .count = count};
    struct stretch begin = stretch_begin(&bench->procs);
    conn_open(&asker.conn, &bench->net, &events, over_tcp);
    unsigned before;
    bool goes_on;
    do {
        before = asker.made;
        goes_on = work_until(bench, are_made, &asker, "rooms") || asker.made > before;
    } while (goes_on && !are_made(&asker));
    conn_close(&asker.conn);
    if (asker.fault)
        fprintf(stderr, "loadgen: rooms: %s\n", asker.fault);
    if (asker.fault || asker.made < count)
        return false;
    stretch_print(&begin, &bench->procs, "rooms", count, NULL);
    return true;
}
