/*
 * Several brokers in one configuration: which of them a room belongs to, what they must not share,
 * and shards of one broker.
 */
#include "config_table.h"

#include <stdio.h>
#include <string.h>

/* ---- rooms ---- */

/*
 * The weight of a broker for a room: FNV-1a (64 bits) over "NAME/ROOM" ('/' is in no id), then
 * MurmurHash3's finalizer, without which names that differ in their last byte only would have
 * weights that hang together.
 */
static uint64_t weight(const char *broker, const char *room)
{
    const char *const parts[] = {broker, "/", room};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < 3; i++) {
        for (const char *c = parts[i]; *c; c++)
            hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

unsigned config_broker_of_room(const struct config *config, const char *room)
{
    unsigned best = 0;
    uint64_t best_weight = 0;
    for (unsigned i = 0; i < config->broker_count; i++) {
        const char *name = config->brokers[i].name;
        uint64_t own = weight(name, room);
        /* Equal weights: by name, so that the order of the file decides nothing. */
        if (i == 0 || own > best_weight ||
            (own == best_weight && strcmp(name, config->brokers[best].name) < 0)) {
            best = i;
            best_weight = own;
        }
    }
    return best;
}

int config_broker_by_name(const struct config *config, const char *name)
{
    if (!name)
        return config->broker_count > 0 ? 0 : -1;
    for (unsigned i = 0; i < config->broker_count; i++) {
        if (strcmp(config->brokers[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* ---- stores and sockets ---- */

#define NAME_MARK "{broker}"

/* `form` with `name` for the mark, in `size` bytes. False when that does not suffice. */
static bool put_name(const char *form, const char *name, char *out, size_t size)
{
    const char *mark = strstr(form, NAME_MARK);
    int len = mark ? snprintf(out, size, "%.*s%s%s", (int)(mark - form), form, name,
                              mark + strlen(NAME_MARK))
                   : snprintf(out, size, "%s", form);
    return (size_t)len < size;
}

static bool holds_name_twice(const char *form)
{
    const char *mark = strstr(form, NAME_MARK);
    return mark && strstr(mark + 1, NAME_MARK);
}

void config_store_path(const struct config *config, const struct config_broker *broker,
                       char out[static CONFIG_STORE_MAX + 1])
{
    bool is_first = broker == &config->brokers[0];
    if (config->roomd_store[0])
        put_name(config->roomd_store, broker->name, out, CONFIG_STORE_MAX + 1);
    else
        snprintf(out, CONFIG_STORE_MAX + 1, "%s/roomd%s%s.sqlite", config->state_dir,
                 is_first ? "" : "-", is_first ? "" : broker->name);
}

void config_socket_path(const struct config_broker *broker, char out[static CONFIG_SOCKET_MAX + 1])
{
    put_name(broker->socket, broker->name, out, CONFIG_SOCKET_MAX + 1);
}

/* ---- what they must not share ---- */

/* A port that somebody listens on. */
struct port_use {
    const char *broker; /* NULL: httpd's */
    const char *option;
    const char *host; /* the machine */
    unsigned port;
};

#define PORT_USES_MAX (3 * BROKERS_MAX + 1)

static size_t list_ports(const struct config *config, struct port_use out[static PORT_USES_MAX])
{
    size_t count = 0;
    out[count++] = (struct port_use){NULL, "port", "localhost", config->http_port};
    for (unsigned i = 0; i < config->broker_count; i++) {
        const struct config_broker *broker = &config->brokers[i];
        const char *name = broker->name, *host = broker->host;
        out[count++] = (struct port_use){name, "mqtt_port", host, broker->mqtt_port};
        out[count++] = (struct port_use){name, "ws_port", host, broker->ws_port};
        if (config->tls_cert[0])
            out[count++] = (struct port_use){name, "mqtts_port", host, broker->mqtts_port};
    }
    return count;
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

static bool are_one_machine(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (is_loopback(a) && is_loopback(b));
}

/* "[http] port", "[broker main] ws_port" */
static void name_port(const struct port_use *use, char out[static ROOM_ID_MAX + 32])
{
    snprintf(out, ROOM_ID_MAX + 32, "[%s%s] %s", use->broker ? CONFIG_BROKER " " : "http",
             use->broker ? use->broker : "", use->option);
}

static bool ports_differ(const struct config *config, char why[static CONFIG_WHY_MAX + 1])
{
    struct port_use uses[PORT_USES_MAX];
    char first[ROOM_ID_MAX + 32], second[ROOM_ID_MAX + 32];
    size_t count = list_ports(config, uses);
    for (size_t b = 1; b < count; b++) {
        for (size_t a = 0; a < b; a++) {
            if (uses[a].port != uses[b].port || !are_one_machine(uses[a].host, uses[b].host))
                continue;
            name_port(&uses[a], first);
            name_port(&uses[b], second);
            snprintf(why, CONFIG_WHY_MAX + 1, "%s and %s are both %u", first, second, uses[a].port);
            return false;
        }
    }
    return true;
}

static bool urls_differ(const struct config *config, char why[static CONFIG_WHY_MAX + 1])
{
    for (unsigned b = 1; b < config->broker_count; b++) {
        const char *url = config->brokers[b].ws_url;
        for (unsigned a = 0; a < b && url[0]; a++) {
            if (strcmp(config->brokers[a].ws_url, url) != 0)
                continue;
            snprintf(why, CONFIG_WHY_MAX + 1, "the ws_url of [broker %s] and [broker %s] are one",
                     config->brokers[a].name, config->brokers[b].name);
            return false;
        }
    }
    return true;
}

static bool stores_differ(const struct config *config, char why[static CONFIG_WHY_MAX + 1])
{
    const char *store = config->roomd_store;
    if (config->broker_count > 1 && store[0] && !strstr(store, NAME_MARK)) {
        snprintf(why, CONFIG_WHY_MAX + 1,
                 "with several brokers [rooms] store has to hold " NAME_MARK
                 ": each has one of its own");
        return false;
    }
    if (holds_name_twice(store)) {
        snprintf(why, CONFIG_WHY_MAX + 1, "[rooms] store holds " NAME_MARK " twice");
        return false;
    }
    return true;
}

/* config_socket_path, for a socket that nobody has looked at. */
static bool find_socket(const struct config_broker *broker, char path[static CONFIG_SOCKET_MAX + 1],
                        char why[static CONFIG_WHY_MAX + 1])
{
    if (holds_name_twice(broker->socket))
        snprintf(why, CONFIG_WHY_MAX + 1, "[broker %s] socket holds " NAME_MARK " twice",
                 broker->name);
    else if (!put_name(broker->socket, broker->name, path, CONFIG_SOCKET_MAX + 1))
        snprintf(why, CONFIG_WHY_MAX + 1, "[broker %s] socket is longer than %d bytes",
                 broker->name, CONFIG_SOCKET_MAX);
    else
        return true;
    return false;
}

static bool sockets_differ(const struct config *config, char why[static CONFIG_WHY_MAX + 1])
{
    char paths[BROKERS_MAX][CONFIG_SOCKET_MAX + 1];
    for (unsigned b = 0; b < config->broker_count; b++) {
        if (!find_socket(&config->brokers[b], paths[b], why))
            return false;
        for (unsigned a = 0; a < b && paths[b][0]; a++) {
            if (strcmp(paths[a], paths[b]) != 0)
                continue;
            snprintf(why, CONFIG_WHY_MAX + 1,
                     "[broker %s] and [broker %s] have the same socket: with " NAME_MARK
                     " in it each has one of its own",
                     config->brokers[a].name, config->brokers[b].name);
            return false;
        }
    }
    return true;
}

enum status config_check_brokers(const struct config *config, char why[static CONFIG_WHY_MAX + 1])
{
    return stores_differ(config, why) && sockets_differ(config, why) && ports_differ(config, why) &&
                   urls_differ(config, why)
               ? STATUS_OK
               : STATUS_BAD_REQUEST;
}

/* ---- shards ---- */

/* `base` counted up; 0, which is no port, when there is none so high. */
static unsigned port_of_shard(unsigned base, unsigned index)
{
    return base + index <= CONFIG_PORT_MAX ? base + index : 0;
}

/* Adds shard `index` (from 1), which is the first broker but for its name and ports. */
static bool add_shard(struct config *config, unsigned index)
{
    char name[ROOM_ID_MAX + 1];
    snprintf(name, sizeof name, "shard%u", index + 1);
    if (config_broker_by_name(config, name) >= 0)
        return false;
    struct config_broker *shard = config_add_broker(config, name);
    *shard = config->brokers[0];
    snprintf(shard->name, sizeof shard->name, "%s", name);
    shard->mqtt_port = port_of_shard(shard->mqtt_port, index);
    shard->mqtts_port = port_of_shard(shard->mqtts_port, index);
    shard->ws_port = port_of_shard(shard->ws_port, index);
    return shard->mqtt_port && shard->mqtts_port && shard->ws_port;
}

enum status config_add_shards(struct config *config, unsigned count,
                              char why[static CONFIG_WHY_MAX + 1])
{
    struct config changed = *config;
    if (config->broker_count > 1) {
        snprintf(why, CONFIG_WHY_MAX + 1,
                 "the configuration names %u brokers: shards are made of one",
                 config->broker_count);
        return STATUS_BAD_REQUEST;
    }
    if (count < 1 || count > BROKERS_MAX) {
        snprintf(why, CONFIG_WHY_MAX + 1, "the number of shards is 1 to %d", BROKERS_MAX);
        return STATUS_BAD_REQUEST;
    }
    for (unsigned i = 1; i < count; i++) {
        if (!add_shard(&changed, i)) {
            snprintf(why, CONFIG_WHY_MAX + 1, "there is no name or no port for shard %u", i + 1);
            return STATUS_BAD_REQUEST;
        }
    }
    *config = changed;
    return STATUS_OK;
}
