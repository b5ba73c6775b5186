/*
 * bench_stub: what a bare Mosquitto needs beside it to set up a call by Parley's topics: it answers
 * joins. No tokens, no store, no limits, no seats, no rules: the floor that Parley is compared
 * with.
 */
#include "common/config.h"
#include "common/topics.h"

#include <errno.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

#define KEEPALIVE_S 60
#define TURN_MS     1000 /* libmosquitto counts its keepalive in seconds */

struct room {
    char name[ROOM_ID_MAX + 1];
    char peers[ROOM_PEERS_MAX][PEER_ID_MAX + 1]; /* "" = nobody */
    UT_hash_handle hh;
};

static struct room *rooms;

static struct room *find_room(const char *name)
{
    struct room *room;
    HASH_FIND_STR(rooms, name, room);
    if (room)
        return room;
    room = calloc(1, sizeof *room);
    if (!room)
        abort();
    snprintf(room->name, sizeof room->name, "%s", name);
    HASH_ADD_STR(rooms, name, room);
    return room;
}

static void publish(struct mosquitto *client, enum topic_kind kind, const char *room,
                    const char *peer, const char *text)
{
    struct topic topic = {.kind = kind};
    char name[TOPIC_MAX + 1];
    snprintf(topic.room, sizeof topic.room, "%s", room);
    snprintf(topic.peer, sizeof topic.peer, "%s", peer);
    topic_format(&topic, name);
    mosquitto_publish(client, NULL, name, (int)strlen(text), text, topic_qos(kind),
                      topic_is_retained(kind));
}

static void tell_state(struct mosquitto *client, const struct room *room)
{
    char text[512];
    snprintf(text, sizeof text, "{\"peers\":[\"%s\",\"%s\"]}", room->peers[0], room->peers[1]);
    publish(client, TOPIC_ROOM_STATE, room->name, "", text);
}

static void join(struct mosquitto *client, struct room *room, const char *peer)
{
    unsigned seat = room->peers[0][0] != '\0';
    const char *other = room->peers[1 - seat];
    snprintf(room->peers[seat], sizeof room->peers[seat], "%s", peer);
    tell_state(client, room);
    publish(client, TOPIC_JOINED, room->name, peer, "{}");
    if (other[0])
        publish(client, TOPIC_USER_ARRIVED, room->name, other, "{}");
}

static void leave(struct mosquitto *client, struct room *room, const char *peer)
{
    for (unsigned i = 0; i < ROOM_PEERS_MAX; i++) {
        if (strcmp(room->peers[i], peer) != 0)
            continue;
        room->peers[i][0] = '\0';
        tell_state(client, room);
        if (room->peers[1 - i][0])
            publish(client, TOPIC_CUT_NOTICE, room->name, room->peers[1 - i], "{}");
    }
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
    struct topic topic;
    (void)ctx;
    if (!topic_parse(message->topic, strlen(message->topic), &topic))
        return;
    if (topic.kind == TOPIC_JOIN)
        join(client, find_room(topic.room), topic.peer);
    else if (topic.kind == TOPIC_CUT_REQUEST || topic.kind == TOPIC_GONE)
        leave(client, find_room(topic.room), topic.peer);
}

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
    (void)ctx;
    if (code == 0)
        mosquitto_subscribe(client, NULL, TOPIC_ROOT "rooms/+/from/+/+", 1);
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count,
                         const int *granted)
{
    (void)client, (void)ctx, (void)mid, (void)count, (void)granted;
    puts("ready");
    fflush(stdout);
}

static void set_cork(struct mosquitto *client, int on)
{
    setsockopt(mosquitto_socket(client), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/* Reads what is there, and answers in one piece, as Parley's services do (common/link.h). */
static int turn(struct mosquitto *client)
{
    struct pollfd wait = {.fd = mosquitto_socket(client),
                          .events = mosquitto_want_write(client) ? POLLIN | POLLOUT : POLLIN};
    int rc = MOSQ_ERR_SUCCESS;
    poll(&wait, 1, TURN_MS);
    set_cork(client, 1);
    errno = 0;
    while (rc == MOSQ_ERR_SUCCESS && errno != EAGAIN)
        rc = mosquitto_loop_read(client, 1);
    if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(client))
        rc = mosquitto_loop_write(client, 1);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_loop_misc(client);
    set_cork(client, 0);
    return rc;
}

int main(int argc, char **argv)
{
    int port = argc == 2 ? atoi(argv[1]) : 0;
    if (port <= 0) {
        fputs("usage: bench_stub PORT\n", stderr);
        return 2;
    }
    mosquitto_lib_init();
    struct mosquitto *client = mosquitto_new("stub", true, NULL);
    if (!client)
        return EXIT_FAILURE;
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_max_inflight_messages_set(client, 0);
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    if (mosquitto_connect(client, "127.0.0.1", port, KEEPALIVE_S) != MOSQ_ERR_SUCCESS)
        return EXIT_FAILURE;
    while (turn(client) == MOSQ_ERR_SUCCESS)
        ;
    return EXIT_FAILURE;
}
