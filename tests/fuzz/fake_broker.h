/*
 * fake_broker: as much of Mosquitto as the gate sees, for its fuzz target: the plugin API's
 * functions, a clock that is set, and files that hold what they are told.
 *
 * Connections are the driver's; events go to whatever the plugin registered.
 */
#ifndef PARLEY_FUZZ_FAKE_BROKER_H
#define PARLEY_FUZZ_FAKE_BROKER_H

#include "fuzz.h"

#include "common/topics.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h> /* after the broker's header, whose types it uses */

/* A connection. The pointer stays valid, and may be used again, after it has ended. */
struct mosquitto {
    const char *id; /* what CONNECT said; any may be NULL */
    const char *user_name;
    char *password;
    int keepalive;
    int protocol;
    bool connected;
    bool is_session; /* its connection has ended */
};

struct fake_broker {
    struct mosquitto *clients; /* the driver's table of connections */
    size_t client_count;
    bool tells_replaced; /* as Mosquitto 2.1: it knows event 28 */
    int64_t wall_s, monotonic_ms;
    /* A message that the plugin publishes; `client_id` NULL: to all subscribers. */
    void (*published)(const char *client_id, const char *topic, const char *payload, size_t len);
    /* A connection has ended, by a kick too; called after the plugin heard of it. */
    void (*ended)(struct mosquitto *client);
};

extern struct fake_broker fake_broker;

/* Loads the plugin with its option `config`, and unloads it. */
void fake_broker_start(char *config_path);
void fake_broker_stop(void);

/* Gives the plugin an event; the answer is what it returns. */
int fake_broker_event(int event, void *data);

/* Ends a connection: the plugin hears of it. */
void fake_broker_end(struct mosquitto *client);

/* A file in memory of mode 0600, and its path in `path`; fake_file_write replaces what it holds. */
int fake_file(char path[static 64]);
void fake_file_write(int file, const char *text);

#endif
