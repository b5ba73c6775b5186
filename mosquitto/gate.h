/*
 * gate: what the plugin holds between the broker's calls, and the calls themselves.
 *
 * plugin.c loads and registers; connects.c answers the broker's question about a CONNECT, gate.c
 * its other events, with the callback type of the plugin API (mosquitto_broker.h): `userdata` is
 * the struct gate.
 */
#ifndef PARLEY_GATE_H
#define PARLEY_GATE_H

#include "admission.h"
#include "certificates.h"
#include "clients.h"
#include "members.h"
#include "roomd_status.h"
#include "stats.h"

#include "common/access.h"
#include "common/config.h"
#include "common/parties.h"
#include "common/wall.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>

/* Clients that are put out at one tick at the most: the others are at the next. */
#define GATE_DOOMED_MAX 16

/* How long people are remembered once they have been away for a whole grace: until the session that
 * our page asks for (web/js/signalling.js) has ended at the broker, too. What is sent to a session
 * that is kept for longer is not queued from then on. */
#define GATE_PEOPLE_KEEP_MS (2 * 60 * 1000)

struct gate {
    mosquitto_plugin_id_t *plugin;
    struct config config;
    struct keyring *keyring;
    struct wall wall;
    struct members *members;
    struct clients *clients;
    struct roomd_status roomd_status;
    struct certificates *certificates; /* NULL without tls_cert */
    struct meter_rates rates;
    struct parties *connects; /* by address */
    struct address_nets trusted_proxies;
    struct gate_counts counts;
    struct {
        struct gate_counts counts;
        struct gate_gauges gauges;
    } told;             /* the statistics last published */
    int64_t stats_next; /* monotonic ms */
    /* A client cannot be put out by the callback that it is in: the next tick does it. */
    unsigned doomed_count;
    char doomed[GATE_DOOMED_MAX][PEER_ID_MAX + 1];
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
