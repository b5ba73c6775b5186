/*
 * gate: what the plugin holds between the broker's calls, and the calls themselves.
 *
 * plugin.c loads and registers; gate.c answers the broker's events, with the callback type of the
 * plugin API (mosquitto_broker.h): `userdata` is the struct gate.
 */
#ifndef PARLEY_GATE_H
#define PARLEY_GATE_H

#include "admission.h"
#include "certificates.h"
#include "clients.h"
#include "members.h"

#include "common/access.h"
#include "common/config.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>

struct gate_counts {
    uint64_t admissions[ADMISSION_COUNT];
    uint64_t denied[ACCESS_WRITE + 1]; /* by enum access_op; the three below are among the writes */
    uint64_t not_a_member;
    uint64_t too_large;
    uint64_t bad_states;
    uint64_t gone; /* told to roomd */
};

struct gate {
    mosquitto_plugin_id_t *plugin;
    struct config config;
    struct keyring *keyring;
    struct members *members;
    struct clients *clients;
    struct certificates *certificates; /* NULL without tls_cert */
    struct gate_counts counts;
    /* Between a reload and the next tick the broker asks again about connections that are in. */
    bool reloading;
    /* The listeners are open, and have the certificate from `certificates`. */
    bool listening;
    /* Mosquitto 2.1 tells an MQTT 5 client itself that another connection has taken its place. */
    bool broker_tells_replaced;
};

/* CONNECT, and again for every session after a reload: MOSQ_ERR_SUCCESS or MOSQ_ERR_AUTH. */
int gate_on_basic_auth(int event, void *data, void *userdata);

/* Subscribe, publish, will when it is sent, delivery: MOSQ_ERR_SUCCESS or MOSQ_ERR_ACL_DENIED, the
 * only answers the broker takes well. */
int gate_on_acl_check(int event, void *data, void *userdata);

/* A publish that the check above let through. */
int gate_on_message(int event, void *data, void *userdata);

/* The end of a connection; in Mosquitto 2.1 also of one whose session is kept. */
int gate_on_disconnect(int event, void *data, void *userdata);

/* Once a turn of the broker's loop. */
int gate_on_tick(int event, void *data, void *userdata);

#endif
