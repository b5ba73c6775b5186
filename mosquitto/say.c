#include "say.h"

#include "common/log.h"
#include "common/messages.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <string.h>

/* Publishes to `client_id` alone, or to all subscribers when it is NULL. */
static void publish(const char *client_id, const struct topic *topic, const char *text, size_t len)
{
    char name[TOPIC_MAX + 1];
    void *payload = len > 0 ? mosquitto_malloc(len) : NULL;
    if (!topic_format(topic, name) || (len > 0 && !payload)) {
        mosquitto_free(payload);
        log_error("publish-failed", LOG_TEXT("event", topic_event(topic->kind)));
        return;
    }
    if (len > 0)
        memcpy(payload, text, len);
    /* The broker owns the payload when it took the message. */
    if (mosquitto_broker_publish(client_id, name, (int)len, payload, topic_qos(topic->kind),
                                 topic_is_retained(topic->kind), NULL) != MOSQ_ERR_SUCCESS) {
        mosquitto_free(payload);
        log_error("publish-failed", LOG_TEXT("event", topic_event(topic->kind)));
    }
}

void say_error(const struct access_who *who, const struct topic *topic, enum status error)
{
    char text[EVENT_PAYLOAD_MAX];
    size_t len = 0;
    struct topic answer = {.kind = TOPIC_NONE};
    if (topic->room[0] != '\0') {
        answer.kind = TOPIC_ROOM_ERROR;
        strcpy(answer.room, topic->room);
        len = msg_encode_room_error(error, status_detail(error), topic_event(topic->kind), 0, text,
                                    sizeof text);
    } else if (topic->kind == TOPIC_CREATE_ROOM) {
        answer.kind = TOPIC_LOBBY_ERROR;
        len = msg_encode_lobby_error("", error, status_detail(error), text, sizeof text);
    } else {
        return;
    }
    strcpy(answer.peer, who->peer_id);
    publish(who->peer_id, &answer, text, len);
}

void say_for_roomd(const struct topic *topic, struct payload payload)
{
    publish(NULL, topic, payload.text, payload.len);
}

void say_roomd_status(const struct topic *inbox, struct payload status)
{
    publish(inbox->peer, inbox, status.text, status.len);
}

void say_stats(const struct gate_counts *counts, const struct gate_gauges *gauges)
{
    char text[OUTBOUND_MAX];
    const struct topic topic = {.kind = TOPIC_GATE_STATS};
    publish(NULL, &topic, text, gate_stats_encode(counts, gauges, text, sizeof text));
}

void say_gone(const char *room, const char *peer_id)
{
    char text[EVENT_PAYLOAD_MAX];
    struct topic topic = {.kind = TOPIC_GONE};
    strcpy(topic.room, room);
    strcpy(topic.peer, peer_id);
    publish(NULL, &topic, text, msg_encode_gone(text, sizeof text));
}
