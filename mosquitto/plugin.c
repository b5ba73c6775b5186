/*
 * The gate: the broker's plugin (API version 5) that lets in who has a token, holds the access
 * table against every subscribe, publish and delivery, learns the members of rooms from roomd, and
 * tells roomd when a member's connection is gone (docs/protocol.md).
 *
 * Here it is loaded, registered and unloaded. What it cannot load it does not start without.
 */
#include "gate.h"

#include "common/log.h"
#include "common/process.h"

#include <mosquitto_plugin.h> /* after the broker's header, whose types it uses */
#include <stdlib.h>
#include <string.h>

/*
 * Mosquitto 2.1 says with this event, and not with MOSQ_EVT_DISCONNECT, that a client whose session
 * is kept has lost its connection. Its data is laid out as a disconnect's. 2.0 has no such event,
 * and answers its registration with MOSQ_ERR_NOT_SUPPORTED.
 */
#define EVT_CLIENT_OFFLINE 28

#define PLUGIN_VERSION 5

/* The broker's log has its own time, so the line's first word, its time, is left out. */
static void write_to_broker_log(enum log_level level, const char *line)
{
    static const int levels[] = {
        [LOG_LEVEL_ERROR] = MOSQ_LOG_ERR,
        [LOG_LEVEL_WARN] = MOSQ_LOG_WARNING,
        [LOG_LEVEL_INFO] = MOSQ_LOG_INFO,
        [LOG_LEVEL_DEBUG] = MOSQ_LOG_DEBUG,
    };
    const char *rest = strchr(line, ' ');
    mosquitto_log_printf(levels[level], "gate:%s", rest ? rest : line);
}

static void log_summary(const struct gate *gate)
{
    const struct gate_counts *counts = &gate->counts;
    for (enum admission i = 0; i < ADMISSION_COUNT; i++) {
        if (counts->connects[i] > 0)
            log_info("connects", LOG_TEXT("outcome", admission_name(i)),
                     LOG_NUMBER("count", counts->connects[i]));
    }
#define LOG_COUNT(name) LOG_NUMBER(#name, counts->name),
    log_info("summary",
             GATE_COUNTERS(LOG_COUNT)
                 LOG_NUMBER("connected", clients_connected_count(gate->clients)),
             LOG_NUMBER("known", clients_count(gate->clients)),
             LOG_NUMBER("rooms", members_room_count(gate->members)));
#undef LOG_COUNT
}

static void reload_certificate(struct gate *gate)
{
    char why[CONFIG_WHY_MAX + 1];
    if (!gate->certificates)
        return;
    if (certificates_reload(gate->certificates, why, sizeof why) == STATUS_OK)
        log_info("certificate-reloaded", LOG_TEXT("file", gate->config.tls_cert));
    else
        log_warn("certificate-kept", LOG_TEXT("why", why));
}

/* SIGHUP: keys and certificate are read again, and stay as they are when a file is not right. */
static int on_reload(int event, void *data, void *userdata)
{
    (void)event;
    (void)data;
    struct gate *gate = userdata;
    struct keyring *keyring = NULL;
    char why[CONFIG_WHY_MAX + 1];
    if (keyring_load(gate->config.keys_file, &keyring, why, sizeof why) == STATUS_OK) {
        keyring_free(gate->keyring);
        gate->keyring = keyring;
        log_info("keys-reloaded", LOG_TEXT("file", gate->config.keys_file));
    } else {
        log_warn("keys-kept", LOG_TEXT("why", why));
    }
    reload_certificate(gate);
    gate->reloading = true;
    log_summary(gate);
    return MOSQ_ERR_SUCCESS;
}

static const struct callback {
    int event;
    MOSQ_FUNC_generic_callback call;
} callbacks[] = {
    {MOSQ_EVT_BASIC_AUTH, gate_on_basic_auth},
    {MOSQ_EVT_ACL_CHECK, gate_on_acl_check},
    {MOSQ_EVT_MESSAGE, gate_on_message},
    {MOSQ_EVT_DISCONNECT, gate_on_disconnect},
    {MOSQ_EVT_TICK, gate_on_tick},
    {MOSQ_EVT_RELOAD, on_reload},
};

#define CALLBACK_COUNT (sizeof callbacks / sizeof *callbacks)

static const char *find_option(const struct mosquitto_opt *options, int count, const char *key)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(options[i].key, key) == 0)
            return options[i].value;
    }
    return NULL;
}

static void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    for (size_t i = 0; i < CALLBACK_COUNT; i++)
        mosquitto_callback_unregister(gate->plugin, callbacks[i].event, callbacks[i].call, NULL);
    if (gate->broker_tells_replaced)
        mosquitto_callback_unregister(gate->plugin, EVT_CLIENT_OFFLINE, gate_on_disconnect, NULL);
    certificates_free(gate->certificates);
    keyring_free(gate->keyring);
    members_free(gate->members);
    clients_free(gate->clients);
    parties_free(gate->connects);
    free(gate);
}

static bool gate_load(struct gate *gate, const char *config_path)
{
    char why[CONFIG_WHY_MAX + 1] = "";
    if (!config_path) {
        log_error("no-config", LOG_TEXT("why", "plugin_opt_config is missing"));
        return false;
    }
    if (config_load(config_path, &gate->config, why) != STATUS_OK) {
        log_error("bad-config", LOG_TEXT("why", why));
        return false;
    }
    log_set_level((enum log_level)gate->config.log_level);
    if (keyring_load(gate->config.keys_file, &gate->keyring, why, sizeof why) != STATUS_OK) {
        log_error("no-keys", LOG_TEXT("why", why));
        return false;
    }
    if (gate->config.tls_cert[0] &&
        certificates_new(gate->config.tls_cert, gate->config.tls_key, &gate->certificates, why,
                         sizeof why) != STATUS_OK) {
        log_error("no-certificate", LOG_TEXT("why", why));
        return false;
    }
    gate->rates = meter_rates(&gate->config);
    address_nets_parse(gate->config.trusted_proxies, &gate->trusted_proxies);
    gate->members = members_new();
    gate->clients = clients_new((int64_t)gate->config.grace_s * 1000 + GATE_PEOPLE_KEEP_MS);
    gate->connects = parties_new(gate->rates.connects);
    return gate->members && gate->clients && gate->connects;
}

static bool gate_register(struct gate *gate)
{
    for (size_t i = 0; i < CALLBACK_COUNT; i++) {
        int rc = mosquitto_callback_register(gate->plugin, callbacks[i].event, callbacks[i].call,
                                             NULL, gate);
        if (rc != MOSQ_ERR_SUCCESS) {
            log_error("no-callback", LOG_NUMBER("event", callbacks[i].event), LOG_NUMBER("rc", rc));
            return false;
        }
    }
    gate->broker_tells_replaced =
        mosquitto_callback_register(gate->plugin, EVT_CLIENT_OFFLINE, gate_on_disconnect, NULL,
                                    gate) == MOSQ_ERR_SUCCESS;
    return true;
}

int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++) {
        if (supported_versions[i] == PLUGIN_VERSION)
            return PLUGIN_VERSION;
    }
    return -1;
}

/* Anything but success ends the broker: without its gate it would allow everything. */
int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                          struct mosquitto_opt *options, int option_count)
{
    log_set_sink(write_to_broker_log);
    /* For the whole broker, which holds the keys from here on. Its user it has changed by itself.
     */
    process_forbid_core_dumps();
    process_forbid_new_rights();
    struct gate *gate = calloc(1, sizeof *gate);
    if (!gate)
        return MOSQ_ERR_NOMEM;
    gate->plugin = identifier;
    if (!gate_load(gate, find_option(options, option_count, "config")) || !gate_register(gate)) {
        gate_free(gate);
        return MOSQ_ERR_UNKNOWN;
    }
    *userdata = gate;
    log_info("started", LOG_TEXT("version", PARLEY_VERSION));
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
    (void)options;
    (void)option_count;
    if (userdata) /* Mosquitto 2.1 calls this after a start that failed, too */
        log_summary(userdata);
    gate_free(userdata);
    log_set_sink(NULL);
    return MOSQ_ERR_SUCCESS;
}
