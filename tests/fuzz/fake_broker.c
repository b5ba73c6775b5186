/* Mosquitto as the gate sees it; see fake_broker.h. */
#include "fake_broker.h"

#include "common/clock.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_MAX         32
#define EVT_CLIENT_OFFLINE 28

struct fake_broker fake_broker;

static MOSQ_FUNC_generic_callback callbacks[EVENTS_MAX];
static void *callback_data[EVENTS_MAX];
static void *plugin_data;

/* ---- the clock, in place of common/clock.c ---- */

int64_t clock_monotonic_ms(void)
{
    return fake_broker.monotonic_ms;
}

int64_t clock_wall_s(void)
{
    return fake_broker.wall_s;
}

/* ---- loading and events ---- */

void fake_broker_start(char *config_path)
{
    char key[] = "config";
    struct mosquitto_opt option = {key, config_path};
    const int version = 5;
    PROMISE(mosquitto_plugin_version(1, &version) == version);
    PROMISE(mosquitto_plugin_init(NULL, &plugin_data, &option, 1) == MOSQ_ERR_SUCCESS);
}

void fake_broker_stop(void)
{
    PROMISE(mosquitto_plugin_cleanup(plugin_data, NULL, 0) == MOSQ_ERR_SUCCESS);
    for (size_t i = 0; i < EVENTS_MAX; i++)
        PROMISE(callbacks[i] == NULL); /* it would be called when it is unloaded */
}

int mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
                                MOSQ_FUNC_generic_callback call, const void *event_data,
                                void *userdata)
{
    (void)identifier;
    (void)event_data;
    PROMISE(event > 0 && event < EVENTS_MAX && callbacks[event] == NULL);
    if (event == EVT_CLIENT_OFFLINE && !fake_broker.tells_replaced)
        return MOSQ_ERR_NOT_SUPPORTED;
    callbacks[event] = call;
    callback_data[event] = userdata;
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
                                  MOSQ_FUNC_generic_callback call, const void *event_data)
{
    (void)identifier;
    (void)event_data;
    PROMISE(event > 0 && event < EVENTS_MAX && callbacks[event] == call);
    callbacks[event] = NULL;
    return MOSQ_ERR_SUCCESS;
}

int fake_broker_event(int event, void *data)
{
    PROMISE(callbacks[event] != NULL);
    return callbacks[event](event, data, callback_data[event]);
}

void fake_broker_end(struct mosquitto *client)
{
    struct mosquitto_evt_disconnect event = {.client = client, .reason = -1};
    if (!client->connected)
        return;
    client->connected = false;
    client->is_session = true;
    fake_broker_event(MOSQ_EVT_DISCONNECT, &event);
    fake_broker.ended(client);
}

int mosquitto_kick_client_by_clientid(const char *id, bool with_will)
{
    PROMISE(id != NULL); /* that would put everybody out */
    (void)with_will;
    for (size_t i = 0; i < fake_broker.client_count; i++) {
        struct mosquitto *client = &fake_broker.clients[i];
        if (client->connected && strcmp(client->id, id) == 0) {
            fake_broker_end(client);
            return MOSQ_ERR_SUCCESS;
        }
    }
    return MOSQ_ERR_NOT_FOUND;
}

/* ---- what a client is ---- */

const char *mosquitto_client_id(const struct mosquitto *client)
{
    return client->id;
}

const char *mosquitto_client_username(const struct mosquitto *client)
{
    return client->user_name;
}

int mosquitto_client_keepalive(const struct mosquitto *client)
{
    return client->keepalive;
}

int mosquitto_client_protocol_version(const struct mosquitto *client)
{
    return client->protocol;
}

int mosquitto_client_protocol(const struct mosquitto *client)
{
    return client->protocol == 5 && !client->is_session ? mp_websockets : mp_mqtt;
}

bool mosquitto_client_clean_session(const struct mosquitto *client)
{
    return client->protocol == 5;
}

const char *mosquitto_client_address(const struct mosquitto *client)
{
    return client->protocol == 5 ? "::1" : "192.0.2.1";
}

/* ---- messages, memory, log ---- */

int mosquitto_broker_publish(const char *client_id, const char *topic, int len, void *payload,
                             int qos, bool retain, mosquitto_property *properties)
{
    struct topic parsed;
    PROMISE(topic != NULL && topic_parse(topic, strlen(topic), &parsed) && !properties);
    PROMISE(len >= 0 && (len == 0) == (payload == NULL));
    PROMISE(qos == topic_qos(parsed.kind) && retain == topic_is_retained(parsed.kind));
    fake_broker.published(client_id, topic, payload, (size_t)len);
    free(payload);
    return MOSQ_ERR_SUCCESS;
}

void *mosquitto_malloc(size_t size)
{
    return malloc(size);
}

void *mosquitto_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

void mosquitto_free(void *memory)
{
    free(memory);
}

void mosquitto_log_printf(int level, const char *format, ...)
{
    char line[4096];
    va_list arguments;
    (void)level;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* One event, one line, whatever was in it. */
    PROMISE(len > 0 && (size_t)len < sizeof line && !strpbrk(line, "\r\n"));
}

/* ---- files ---- */

int fake_file(char path[static 64])
{
    int file = memfd_create("file", MFD_CLOEXEC);
    PROMISE(file >= 0 && fchmod(file, 0600) == 0);
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

void fake_file_write(int file, const char *text)
{
    size_t len = strlen(text);
    PROMISE(ftruncate(file, 0) == 0 && pwrite(file, text, len, 0) == (ssize_t)len);
}
