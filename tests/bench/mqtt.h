/*
 * mqtt: the client's packets of MQTT 3.1.1 and 5, written into a buffer, and what a broker sends,
 * taken apart.
 */
#ifndef PARLEY_BENCH_MQTT_H
#define PARLEY_BENCH_MQTT_H

#include "buffer.h"

#include <stdbool.h>

enum mqtt_version { MQTT_3_1_1 = 4, MQTT_5 = 5 };

/* MQTT 3.1.1 and 5.0, 2.1.2: the high four bits of a packet's first byte. */
enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
    MQTT_PINGREQ = 12,
    MQTT_DISCONNECT = 14
};

struct mqtt_connect {
    const char *client_id;
    const char *password;   /* "" = neither user name nor password */
    const char *will_topic; /* QoS 1, not retained */
    const char *will_payload;
    unsigned keepalive_s;
    unsigned session_expiry_s; /* on MQTT 5 */
};

void mqtt_connect(struct buffer *out, enum mqtt_version version, const struct mqtt_connect *how);

struct mqtt_filter {
    const char *filter;
    int qos;
};

void mqtt_subscribe(struct buffer *out, enum mqtt_version version, unsigned packet_id,
                    const struct mqtt_filter *filters, size_t count);

/* `expiry_s` > 0: the message expiry interval, on MQTT 5. `packet_id` counts with QoS 1 only. */
void mqtt_publish(struct buffer *out, enum mqtt_version version, const char *topic,
                  const void *payload, size_t len, int qos, unsigned packet_id, unsigned expiry_s);

void mqtt_puback(struct buffer *out, unsigned packet_id);

void mqtt_pingreq(struct buffer *out);

/* On MQTT 5 the session ends with the connection, whatever CONNECT said (3.14.2.2.2). */
void mqtt_disconnect(struct buffer *out, enum mqtt_version version);

struct mqtt_packet {
    enum mqtt_type type;
    unsigned code;      /* CONNACK, SUBACK: the (first) return or reason code */
    int qos;            /* PUBLISH */
    unsigned packet_id; /* PUBLISH with QoS 1 */
    const char *topic;  /* PUBLISH; not NUL-terminated */
    size_t topic_len;
    const char *payload; /* PUBLISH */
    size_t payload_len;
};

/* The first packet of `len` bytes. What it took of them; 0 while it is not whole, -1 when it is
 * broken. */
long mqtt_read(const char *bytes, size_t len, enum mqtt_version version, struct mqtt_packet *out);

#endif
