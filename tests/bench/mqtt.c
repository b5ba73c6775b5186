#include "mqtt.h"

#include <string.h>

#define LENGTH_BYTES_MAX 4 /* 2.2.3: the remaining length */

/* CONNECT's flags (3.1.2.3). */
#define CLEAN_START  0x02
#define HAS_WILL     0x04
#define WILL_QOS_1   0x08
#define HAS_PASSWORD 0x40
#define HAS_USER     0x80

/* Property identifiers (MQTT 5.0, 2.2.2.2). */
#define MESSAGE_EXPIRY_INTERVAL 0x02
#define SESSION_EXPIRY_INTERVAL 0x11

/* ---- writing ---- */

static void add_length(struct buffer *out, size_t len)
{
    do {
        unsigned digit = len & 0x7f;
        len >>= 7;
        buffer_add_u8(out, digit | (len > 0 ? 0x80 : 0));
    } while (len > 0);
}

static void add_string(struct buffer *out, const char *text)
{
    buffer_add_u16(out, (unsigned)strlen(text));
    buffer_add_text(out, text);
}

static void add_packet(struct buffer *out, unsigned first, struct buffer *body)
{
    buffer_add_u8(out, first);
    add_length(out, body->len);
    buffer_add(out, body->bytes, body->len);
    buffer_free(body);
}

/* The one property of a packet on MQTT 5; nothing on 3.1.1. */
static void add_property_u32(struct buffer *out, enum mqtt_version version, unsigned identifier,
                             uint32_t value)
{
    if (version != MQTT_5)
        return;
    buffer_add_u8(out, 5); /* bytes of properties */
    buffer_add_u8(out, identifier);
    buffer_add_u16(out, value >> 16);
    buffer_add_u16(out, value & 0xffff);
}

static void add_no_properties(struct buffer *out, enum mqtt_version version)
{
    if (version == MQTT_5)
        buffer_add_u8(out, 0);
}

void mqtt_connect(struct buffer *out, enum mqtt_version version, const struct mqtt_connect *how)
{
    struct buffer body = {0};
    bool has_password = how->password[0] != '\0';
    add_string(&body, "MQTT");
    buffer_add_u8(&body, version);
    buffer_add_u8(&body, CLEAN_START | HAS_WILL | WILL_QOS_1 |
                             (has_password ? HAS_USER | HAS_PASSWORD : 0));
    buffer_add_u16(&body, how->keepalive_s);
    add_property_u32(&body, version, SESSION_EXPIRY_INTERVAL, how->session_expiry_s);
    add_string(&body, how->client_id);
    add_no_properties(&body, version); /* of the will */
    add_string(&body, how->will_topic);
    add_string(&body, how->will_payload);
    if (has_password) {
        add_string(&body, how->client_id);
        add_string(&body, how->password);
    }
    add_packet(out, MQTT_CONNECT << 4, &body);
}

void mqtt_subscribe(struct buffer *out, enum mqtt_version version, unsigned packet_id,
                    const struct mqtt_filter *filters, size_t count)
{
    struct buffer body = {0};
    buffer_add_u16(&body, packet_id);
    add_no_properties(&body, version);
    for (size_t i = 0; i < count; i++) {
        add_string(&body, filters[i].filter);
        buffer_add_u8(&body, (unsigned)filters[i].qos);
    }
    add_packet(out, MQTT_SUBSCRIBE << 4 | 2, &body);
}

void mqtt_publish(struct buffer *out, enum mqtt_version version, const char *topic,
                  const void *payload, size_t len, int qos, unsigned packet_id, unsigned expiry_s)
{
    struct buffer body = {0};
    add_string(&body, topic);
    if (qos > 0)
        buffer_add_u16(&body, packet_id);
    if (expiry_s > 0)
        add_property_u32(&body, version, MESSAGE_EXPIRY_INTERVAL, expiry_s);
    else
        add_no_properties(&body, version);
    buffer_add(&body, payload, len);
    add_packet(out, MQTT_PUBLISH << 4 | (unsigned)qos << 1, &body);
}

void mqtt_puback(struct buffer *out, unsigned packet_id)
{
    buffer_add_u8(out, MQTT_PUBACK << 4);
    buffer_add_u8(out, 2);
    buffer_add_u16(out, packet_id);
}

void mqtt_pingreq(struct buffer *out)
{
    buffer_add_u8(out, MQTT_PINGREQ << 4);
    buffer_add_u8(out, 0);
}

void mqtt_disconnect(struct buffer *out, enum mqtt_version version)
{
    struct buffer body = {0};
    if (version == MQTT_5)
        buffer_add_u8(&body, 0); /* normal disconnection */
    add_property_u32(&body, version, SESSION_EXPIRY_INTERVAL, 0);
    add_packet(out, MQTT_DISCONNECT << 4, &body);
}

/* ---- reading ---- */

static unsigned read_u16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* A variable byte integer (1.5.5): how many bytes it has, 0 when they are not all there. */
static size_t read_length(const unsigned char *at, size_t left, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < left && i < LENGTH_BYTES_MAX; i++) {
        *out |= (size_t)(at[i] & 0x7f) << (7 * i);
        if (!(at[i] & 0x80))
            return i + 1;
    }
    return 0;
}

static bool read_publish(const unsigned char *body, size_t len, enum mqtt_version version,
                         struct mqtt_packet *out)
{
    size_t at = 2, properties;
    if (len < at)
        return false;
    out->topic = (const char *)body + at;
    out->topic_len = read_u16(body);
    at += out->topic_len;
    if (out->qos > 0) {
        if (at + 2 > len)
            return false;
        out->packet_id = read_u16(body + at);
        at += 2;
    }
    if (version == MQTT_5) {
        size_t used = at < len ? read_length(body + at, len - at, &properties) : 0;
        if (used == 0)
            return false;
        at += used + properties;
    }
    if (at > len)
        return false;
    out->payload = (const char *)body + at;
    out->payload_len = len - at;
    return true;
}

long mqtt_read(const char *bytes, size_t len, enum mqtt_version version, struct mqtt_packet *out)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t body_len;
    size_t used = len > 1 ? read_length(at + 1, len - 1, &body_len) : 0;
    if (used == 0)
        return len > LENGTH_BYTES_MAX ? -1 : 0;
    if (1 + used + body_len > len)
        return 0;
    const unsigned char *body = at + 1 + used;
    *out = (struct mqtt_packet){.type = at[0] >> 4, .qos = at[0] >> 1 & 3};
    if (out->type == MQTT_PUBLISH && !read_publish(body, body_len, version, out))
        return -1;
    if (out->type == MQTT_CONNACK && body_len >= 2)
        out->code = body[1];
    if (out->type == MQTT_SUBACK && body_len >= 3)
        out->code = body[body_len - 1];
    return (long)(1 + used + body_len);
}
