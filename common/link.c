#include "link.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_S        5 /* the least that the gate takes: who hangs is noticed soon */
#define CONNECT_TIMEOUT_MS 5000
#define BACKOFF_FIRST_MS   250
#define BACKOFF_LONGEST_MS 5000
#define REFUSED_WAIT_MS    1000
#define STEADY_MS          5000 /* a connection that lasted this long starts the backoff anew */
#define HOUSEKEEPING_MS    1000 /* libmosquitto counts its keepalive in seconds */
#define READ_PACKETS_MAX                                                                           \
    64 /* a turn: a flood must not keep the caller from its other descriptors */
#define TOKEN_LIFE_S        300 /* of a service's token: it only has to last for a connect */
#define SUBSCRIPTIONS_NOTED 32
#define TICK_FILTER         TOPIC_ROOT "tick"

enum phase { WAITING, CONNECTING, REFUSED, CONNECTED };

struct link {
    struct mosquitto *client;
    const struct config_broker *broker;
    const struct keyring *keyring;
    char peer_id[PEER_ID_MAX + 1];
    struct link_events events;
    void *ctx;

    enum phase phase;
    int64_t now;        /* of the running link_service, for the events */
    int64_t since;      /* when the phase began */
    int64_t next_try;   /* WAITING: when to connect */
    int64_t backoff_ms; /* the next wait, before jitter */
    unsigned refusals;  /* in a row: the broker is there, and does not let us in */
    int64_t next_housekeeping;

    bool is_holding; /* what is written waits for link_prepare */

    int64_t turn_until; /* the tick: until when, when next, and which one is not answered yet (0 =
                           none) */
    int64_t next_tick;
    int tick_mid;

    /* The filters last asked for, by message id: what a refusal is logged with. */
    struct {
        int mid;
        char filter[TOPIC_MAX + 1];
    } asked[SUBSCRIPTIONS_NOTED];
};

/* ---- phases ---- */

static void enter(struct link *link, enum phase phase)
{
    link->phase = phase;
    link->since = link->now;
    link->is_holding = false;
}

static void set_cork(const struct link *link, int on)
{
    setsockopt(mosquitto_socket(link->client), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static bool is_by_socket(const struct link *link)
{
    return link->broker->socket[0];
}

/* From now on what is written is kept together (tcp(7), TCP_CORK), until link_prepare lets it go. A
 * Unix socket has nothing like it. */
static void hold(struct link *link)
{
    if (link->is_holding || link->phase != CONNECTED || is_by_socket(link))
        return;
    link->is_holding = true;
    set_cork(link, 1);
}

/* Between a half and the whole of `ms` from now. */
static int64_t jittered(const struct link *link, int64_t ms)
{
    uint32_t random;
    random_bytes(&random, sizeof random);
    return link->now + ms / 2 + random % (ms / 2 + 1);
}

/* Plans the next attempt after a wait that grows by a half each time. */
static void plan_retry(struct link *link)
{
    link->next_try = jittered(link, link->backoff_ms);
    link->backoff_ms += link->backoff_ms / 2;
    if (link->backoff_ms > BACKOFF_LONGEST_MS)
        link->backoff_ms = BACKOFF_LONGEST_MS;
}

static void lose(struct link *link, const char *why)
{
    bool was_connected = link->phase == CONNECTED;
    if (link->phase == REFUSED) {
        /* Steadily: another of our id, who is in, may be gone at any time. */
        enter(link, WAITING);
        link->backoff_ms = BACKOFF_FIRST_MS;
        link->next_try = jittered(link, REFUSED_WAIT_MS);
        return;
    }
    link->refusals = 0;
    if (was_connected && link->now - link->since >= STEADY_MS)
        link->backoff_ms = BACKOFF_FIRST_MS;
    enter(link, WAITING);
    plan_retry(link);
    if (was_connected) {
        log_warn("broker-lost", LOG_TEXT("broker", link->broker->name), LOG_TEXT("why", why),
                 LOG_NUMBER("retry_ms", link->next_try - link->now));
        if (link->events.disconnected)
            link->events.disconnected(link->ctx, link->now);
    } else {
        log_info("broker-not-reached", LOG_TEXT("broker", link->broker->name), LOG_TEXT("why", why),
                 LOG_NUMBER("retry_ms", link->next_try - link->now));
    }
}

/* A fresh token for every attempt, so that none has to outlive a connect. */
static bool set_password(struct link *link)
{
    char token[TOKEN_MAX + 1];
    struct token_claims claims = {.role = ROLE_SERVICE, .issued_at = clock_wall_s()};
    claims.expires_at = claims.issued_at + TOKEN_LIFE_S;
    snprintf(claims.peer_id, sizeof claims.peer_id, "%s", link->peer_id);
    return token_sign(link->keyring, &claims, token) == STATUS_OK &&
           mosquitto_username_pw_set(link->client, link->peer_id, token) == MOSQ_ERR_SUCCESS;
}

static void start_connect(struct link *link)
{
    enter(link, CONNECTING);
    if (!set_password(link)) {
        lose(link, "no token could be signed");
        return;
    }
    char path[CONFIG_SOCKET_MAX + 1];
    config_socket_path(link->broker, path);
    /* This closes what is left of an earlier attempt, and does not wait for the other side. (Port
     * 0: the host is a Unix socket.) */
    int rc = mosquitto_connect_async(link->client, path[0] ? path : link->broker->host,
                                     path[0] ? 0 : (int)link->broker->mqtt_port, KEEPALIVE_S);
    if (rc > MOSQ_ERR_SUCCESS)
        lose(link, rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
}

/* ---- libmosquitto's callbacks: they come from within link_service ---- */

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
    struct link *link = ctx;
    (void)client;
    if (code != 0) {
        enter(link, REFUSED); /* the read that brought this fails, and loses the link */
        if (link->refusals++ == 0)
            log_warn("broker-refused", LOG_TEXT("broker", link->broker->name),
                     LOG_TEXT("why", mosquitto_connack_string(code)),
                     LOG_NUMBER("retry_ms", REFUSED_WAIT_MS));
        return;
    }
    link->refusals = 0;
    enter(link, CONNECTED);
    link->tick_mid = 0;
    log_info("broker-connected", LOG_TEXT("broker", link->broker->name));
    if (link->events.connected)
        link->events.connected(link->ctx, link->now);
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
    struct link *link = ctx;
    struct topic topic;
    (void)client;
    if (!topic_parse(message->topic, strlen(message->topic), &topic)) {
        log_debug("message-on-unknown-topic", LOG_TEXT("topic", message->topic));
        return;
    }
    struct payload payload = {message->payload ? message->payload : "",
                              (size_t)message->payloadlen};
    if (link->events.message)
        link->events.message(link->ctx, &topic, payload, message->retain, link->now);
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count,
                         const int *granted)
{
    struct link *link = ctx;
    (void)client;
    const char *filter = link->asked[mid % SUBSCRIPTIONS_NOTED].mid == mid
                             ? link->asked[mid % SUBSCRIPTIONS_NOTED].filter
                             : "";
    for (int i = 0; i < count; i++) {
        if (granted[i] >= 0x80)
            log_error("subscription-refused", LOG_TEXT("broker", link->broker->name),
                      LOG_TEXT("filter", filter));
    }
}

static void on_unsubscribe(struct mosquitto *client, void *ctx, int mid)
{
    struct link *link = ctx;
    (void)client;
    if (mid == link->tick_mid)
        link->tick_mid = 0;
}

/* ---- making and ending ---- */

static bool set_up_client(struct link *link, const struct link_options *options)
{
    char will[TOPIC_MAX + 1];
    struct mosquitto *client = mosquitto_new(options->peer_id, !options->keep_session, link);
    link->client = client;
    if (!client)
        return false;
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_unsubscribe_callback_set(client, on_unsubscribe);
    if (mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311) ||
        mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1) ||
        mosquitto_max_inflight_messages_set(client, 0))
        return false;
    if (!options->will_topic)
        return true;
    return topic_format(options->will_topic, will) &&
           mosquitto_will_set(client, will, (int)strlen(options->will_payload),
                              options->will_payload, 1,
                              topic_is_retained(options->will_topic->kind)) == MOSQ_ERR_SUCCESS;
}

struct link *link_new(const struct link_options *options)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->broker = options->broker;
    link->keyring = options->keyring;
    snprintf(link->peer_id, sizeof link->peer_id, "%s", options->peer_id);
    link->events = options->events;
    link->ctx = options->ctx;
    link->backoff_ms = BACKOFF_FIRST_MS;
    /* libmosquitto writes to its socket with write(2): a broker that is gone must not end the
     * process. */
    signal(SIGPIPE, SIG_IGN);
    mosquitto_lib_init();
    if (!set_up_client(link, options)) {
        link_free(link);
        return NULL;
    }
    return link;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    if (link->client && link->phase == CONNECTED) {
        mosquitto_disconnect(link->client);
        link_prepare(link);
        /* What is written still goes out, unless the broker does not take it for a while. */
        struct pollfd writable = {.fd = mosquitto_socket(link->client), .events = POLLOUT};
        while (mosquitto_want_write(link->client) && poll(&writable, 1, 200) == 1 &&
               mosquitto_loop_write(link->client, 1) == MOSQ_ERR_SUCCESS)
            ;
    }
    mosquitto_destroy(link->client);
    mosquitto_lib_cleanup();
    free(link);
}

void link_set_keyring(struct link *link, const struct keyring *keyring)
{
    link->keyring = keyring;
}

/* ---- the caller's poll loop ---- */

struct pollfd link_prepare(struct link *link)
{
    bool wants_write = mosquitto_want_write(link->client);
    if (link->is_holding)
        set_cork(link, 0);
    link->is_holding = false;
    return (struct pollfd){.fd = link->phase == WAITING ? -1 : mosquitto_socket(link->client),
                           .events = wants_write ? POLLIN | POLLOUT : POLLIN};
}

static bool is_turning(const struct link *link)
{
    return link->phase == CONNECTED && link->broker->tick_ms > 0 && link->now < link->turn_until;
}

int64_t link_deadline(const struct link *link, int64_t now)
{
    int64_t deadline = link->phase == WAITING ? link->next_try : link->next_housekeeping;
    if (is_turning(link) && link->next_tick < deadline)
        deadline = link->next_tick;
    return deadline > now ? deadline : now;
}

static void tick(struct link *link)
{
    if (!is_turning(link) || link->now < link->next_tick)
        return;
    link->next_tick = link->now + link->broker->tick_ms;
    /* One at a time: a broker that does not answer turns no faster for a queue of them. */
    if (link->tick_mid == 0)
        mosquitto_unsubscribe(link->client, &link->tick_mid, TICK_FILTER);
}

static int read_packets(struct link *link)
{
    int rc = MOSQ_ERR_SUCCESS;
    hold(link); /* receipts too */
    for (int i = 0; i < READ_PACKETS_MAX && rc == MOSQ_ERR_SUCCESS; i++) {
        errno = 0;
        rc = mosquitto_loop_read(link->client, 1);
        if (errno == EAGAIN)
            break;
    }
    return rc;
}

/* Moves what can be moved; the first error of libmosquitto is the answer. */
static int run_client(struct link *link, short revents)
{
    int rc = MOSQ_ERR_SUCCESS;
    if (revents & (POLLIN | POLLHUP | POLLERR))
        rc = read_packets(link);
    /* Callbacks only queue what they publish: it goes out now, not after another poll. */
    if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(link->client))
        rc = mosquitto_loop_write(link->client, 1);
    if (rc == MOSQ_ERR_SUCCESS && link->now >= link->next_housekeeping) {
        /* It also gives up a connect after a keepalive's time; that is gives_up's to say. */
        if (link->phase != CONNECTING)
            rc = mosquitto_loop_misc(link->client);
        link->next_housekeeping = link->now + HOUSEKEEPING_MS;
    }
    if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(link->client) < 0)
        rc = MOSQ_ERR_CONN_LOST;
    return rc;
}

/*
 * Has the broker had its time to answer? By a Unix socket it has as long as it lives, and its end
 * is noticed. The queue of Mosquitto's listener holds ten: tries that were given up would fill it,
 * with connects of ours that the broker would still serve once it goes on.
 */
static bool gives_up(const struct link *link)
{
    return link->phase == CONNECTING && !is_by_socket(link) &&
           link->now - link->since >= CONNECT_TIMEOUT_MS;
}

void link_service(struct link *link, short revents, int64_t now)
{
    link->now = now;
    if (link->phase == WAITING) {
        if (now >= link->next_try)
            start_connect(link);
        return;
    }
    int rc = run_client(link, revents);
    if (rc != MOSQ_ERR_SUCCESS)
        lose(link, rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
    else if (gives_up(link))
        lose(link, "no answer");
    else
        tick(link);
}

bool link_is_connected(const struct link *link)
{
    return link->phase == CONNECTED;
}

bool link_is_drained(const struct link *link)
{
    return link->phase != CONNECTED || !mosquitto_want_write(link->client);
}

/* ---- what the caller says ---- */

static bool full_filter(const char *filter, char out[static TOPIC_MAX + 1])
{
    return snprintf(out, TOPIC_MAX + 1, TOPIC_ROOT "%s", filter) <= TOPIC_MAX;
}

enum status link_subscribe(struct link *link, const char *filter, int qos)
{
    char full[TOPIC_MAX + 1];
    int mid;
    if (!full_filter(filter, full))
        return STATUS_BAD_REQUEST;
    hold(link);
    if (link->phase != CONNECTED ||
        mosquitto_subscribe(link->client, &mid, full, qos) != MOSQ_ERR_SUCCESS)
        return STATUS_UNAVAILABLE;
    link->asked[mid % SUBSCRIPTIONS_NOTED].mid = mid;
    memcpy(link->asked[mid % SUBSCRIPTIONS_NOTED].filter, full, sizeof full);
    return STATUS_OK;
}

enum status link_unsubscribe(struct link *link, const char *filter)
{
    char full[TOPIC_MAX + 1];
    if (!full_filter(filter, full))
        return STATUS_BAD_REQUEST;
    hold(link);
    if (link->phase != CONNECTED ||
        mosquitto_unsubscribe(link->client, NULL, full) != MOSQ_ERR_SUCCESS)
        return STATUS_UNAVAILABLE;
    return STATUS_OK;
}

enum status link_publish(struct link *link, const struct topic *topic, const char *payload,
                         size_t len)
{
    char name[TOPIC_MAX + 1];
    if (!topic_format(topic, name) || len > PAYLOAD_MAX)
        return STATUS_BAD_REQUEST;
    hold(link);
    if (link->phase != CONNECTED ||
        mosquitto_publish(link->client, NULL, name, (int)len, payload, topic_qos(topic->kind),
                          topic_is_retained(topic->kind)) != MOSQ_ERR_SUCCESS)
        return STATUS_UNAVAILABLE;
    return STATUS_OK;
}

void link_keep_turning(struct link *link, int64_t until)
{
    if (until > link->turn_until)
        link->turn_until = until;
}
