/*
 * config: the one configuration file of all parts, INI by libinih, parsed whole and validated
 * before use.
 *
 * Every option is a row of one table in config.c: section, name, kind, default, bounds, and a
 * sentence. The README's table and `parley-ctl config --help` come from those rows. An unknown
 * section or option, a value out of bounds, or a section given twice is an error that names its
 * line.
 */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include "limits.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_TEXT_MAX 511

/* STATE_DIR/roomd-NAME.sqlite, or a configured store with a broker's name in it. */
#define CONFIG_STORE_MAX (CONFIG_TEXT_MAX + ROOM_ID_MAX + 16)

/* What a Unix socket's path may be (unix(7), sun_path), without its NUL. */
#define CONFIG_SOCKET_MAX 107

/* The broker's name where none is configured. */
#define CONFIG_BROKER_MAIN "main"

struct config_broker { /* [broker NAME] */
    char name[ROOM_ID_MAX + 1];
    char host[CONFIG_TEXT_MAX + 1];   /* where roomd and httpd reach it by TCP: a name or an address */
    unsigned mqtt_port;               /* MQTT over TCP, without TLS */
    char socket[CONFIG_TEXT_MAX + 1]; /* as configured; see config_socket_path */
    char bind[CONFIG_TEXT_MAX + 1];   /* the address of the public listeners */
    unsigned mqtts_port;              /* MQTT over TLS; only with tls_cert */
    unsigned ws_port;                 /* MQTT over WebSocket */
    char ws_url[CONFIG_TEXT_MAX +
                1];   /* what browsers are told; `{host}` stands for the host they asked httpd by */
    unsigned tick_ms; /* see link.h, "the tick"; 0 = none */
};

struct config {
    char state_dir[CONFIG_TEXT_MAX + 1];
    char keys_file[CONFIG_TEXT_MAX + 1]; /* never "": STATE_DIR/keys unless given */
    int log_level;
    char user[CONFIG_TEXT_MAX + 1];     /* whom root becomes; "" = nobody else */
    char tls_cert[CONFIG_TEXT_MAX + 1]; /* PEM; "" = no TLS, and then tls_key is "" too */
    char tls_key[CONFIG_TEXT_MAX + 1];

    char http_listen[CONFIG_TEXT_MAX + 1]; /* an IPv4 or IPv6 address */
    unsigned http_port;
    char http_public_url[CONFIG_TEXT_MAX + 1]; /* "" = made from the Host a request names */
    char http_web_root[CONFIG_TEXT_MAX + 1];   /* the folder with the built page */
    char trusted_proxies[CONFIG_TEXT_MAX + 1]; /* for address_nets_parse, which takes it */

    char roomd_store[CONFIG_TEXT_MAX + 1]; /* as configured; see config_store_path */
    unsigned grace_s;
    unsigned room_ttl_s;

    unsigned token_ttl_s;

    char turn_urls[CONFIG_TEXT_MAX + 1]; /* stun: and turn: URLs, separated by blanks */
    char turn_secret_file[CONFIG_TEXT_MAX + 1];
    unsigned turn_ttl_s;

    /* [limits]: 0 = off */
    unsigned client_messages_per_s;
    unsigned client_bytes_per_s;
    unsigned address_connects_per_min;
    unsigned address_rooms_per_min;
    unsigned address_tokens_per_min;
    unsigned rooms_max;
    unsigned peers_max;

    /* One by default, CONFIG_BROKER_MAIN. */
    unsigned broker_count;
    struct config_broker brokers[BROKERS_MAX];
};

#define CONFIG_WHY_MAX 255

/* Every option at its default. */
void config_defaults(struct config *out);

/*
 * Reads the file at `path` (NULL: none, defaults only) into `out`.
 * STATUS_BAD_REQUEST with `file:line: what is wrong` in `why` when anything in it is wrong,
 * STATUS_INTERNAL when it cannot be read; `out` is not touched then.
 */
enum status config_load(const char *path, struct config *out, char why[static CONFIG_WHY_MAX + 1]);

/* The same from memory: what config_load does after reading, and what the fuzz target calls. `name`
 * stands for the file in `why`. */
enum status config_parse(const char *name, const char *text, size_t len, struct config *out,
                         char why[static CONFIG_WHY_MAX + 1]);

/*
 * Sets one option from `section.option=value` ("rooms.grace_s=5", "broker main.ws_port=9001"), with
 * the checks of a file's line. The broker has to be there. A keys_file that is STATE_DIR/keys
 * follows state_dir. STATUS_BAD_REQUEST and `why` when it is wrong; `config` is not touched then.
 */
enum status config_set(struct config *config, const char *assignment,
                       char why[static CONFIG_WHY_MAX + 1]);

/*
 * What no single option can tell: tls_cert and tls_key go together; ports of one machine differ
 * (brokers with the same `host` are on one, and those with a loopback address on httpd's); no two
 * brokers share a ws_url, a socket or, by their roomds, a store; a store and a socket hold
 * `{broker}` once at most, and a socket's path is no longer than CONFIG_SOCKET_MAX.
 * config_parse asks it; whoever calls config_set or config_add_shards asks it after the last one.
 * STATUS_BAD_REQUEST and `why` when the options exclude each other.
 */
enum status config_check(const struct config *config, char why[static CONFIG_WHY_MAX + 1]);

/*
 * Makes `count` shards of the one broker there is: itself, and others that are like it but for
 * their names (`shard2` and so on) and their ports, which count up from its own. STATUS_BAD_REQUEST
 * and `why` when there are several brokers already, when `count` is not 1 to BROKERS_MAX, or when
 * ports or names do not suffice; `config` is not touched then.
 */
enum status config_add_shards(struct config *config, unsigned count,
                              char why[static CONFIG_WHY_MAX + 1]);

/* Writes every option with its value as a file that config_load reads back to the same. */
void config_write(FILE *out, const struct config *config);

/* Prints the table of options: a line each for `--help` (markdown false), or the README's table
 * (markdown true). */
void config_print_options(FILE *out, bool markdown);

/*
 * The index of the broker that `room` belongs to, by rendezvous hash (highest random weight) of
 * broker name and room id: adding or removing one broker moves only that broker's share of the
 * rooms.
 */
unsigned config_broker_of_room(const struct config *config, const char *room);

/*
 * Where the roomds of `broker`, one of the configuration's own, have their store: as configured,
 * with the broker's name for `{broker}`, or in the state folder: roomd.sqlite for the first broker,
 * whatever its name, so that it stays where it is when others are added, and roomd-NAME.sqlite for
 * those.
 */
void config_store_path(const struct config *config, const struct config_broker *broker,
                       char out[static CONFIG_STORE_MAX + 1]);

/*
 * The Unix socket by which services of the same machine reach `broker`, which config_check has
 * found right: as configured, with the broker's name for `{broker}`. "" when there is none: then it
 * is `host` and `mqtt_port`.
 */
void config_socket_path(const struct config_broker *broker, char out[static CONFIG_SOCKET_MAX + 1]);

/* The index of the broker called `name`, or -1. NULL means the first. */
int config_broker_by_name(const struct config *config, const char *name);

#endif
