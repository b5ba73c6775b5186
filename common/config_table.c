#include "config_table.h"

#include "address.h"
#include "ids.h"
#include "log.h"
#include "utf8.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field)        offsetof(struct config, field)
#define BROKER_AT(field) offsetof(struct config_broker, field)

#define DAY_S     86400
#define YEAR_S    (365 * DAY_S)
#define COUNT_MAX 1000000000

/* clang-format off */
const struct config_option config_options[CONFIG_OPTION_COUNT] = {
    {"parley", "state_dir", CONFIG_TEXT, "/var/lib/parley", 0, 0, AT(state_dir),
     "The folder of keys, rooms and pid files."},
    {"parley", "keys_file", CONFIG_TEXT, "", 0, 0, AT(keys_file),
     "The signing keys, one a line. Unless given: `keys` in state_dir."},
    {"parley", "log_level", CONFIG_LEVEL, "info", 0, 0, AT(log_level),
     "What is logged: error, warn, info or debug."},
    {"parley", "user", CONFIG_TEXT, "parley", 0, 0, AT(user),
     "Whom httpd, roomd and the broker become when root starts them. It has to be able to read the keys."},
    {"parley", "tls_cert", CONFIG_TEXT, "", 0, 0, AT(tls_cert),
     "The certificate of httpd's and the broker's listeners, with its chain, in PEM. Empty: no TLS. SIGHUP reads it again."},
    {"parley", "tls_key", CONFIG_TEXT, "", 0, 0, AT(tls_key),
     "Its private key, in PEM."},

    {"http", "listen", CONFIG_ADDRESS, "127.0.0.1", 0, 0, AT(http_listen),
     "The address httpd listens on."},
    {"http", "port", CONFIG_NUMBER, "8080", 1, CONFIG_PORT_MAX, AT(http_port),
     "The port httpd listens on."},
    {"http", "public_url", CONFIG_HTTP, "", 0, 0, AT(http_public_url),
     "What links begin with. Empty: made from the host a request names."},
    {"http", "web_root", CONFIG_TEXT, "/usr/share/parley/web", 0, 0, AT(http_web_root),
     "The folder with the built page."},
    {"http", "trusted_proxies", CONFIG_NETS, "", 0, 0, AT(trusted_proxies),
     "Addresses and networks, separated by blanks, of the proxies whose X-Forwarded-For counts."},

    {CONFIG_BROKER, "host", CONFIG_HOST, "127.0.0.1", 0, 0, BROKER_AT(host),
     "Where roomd and httpd reach the broker, unless by `socket`: a name or an address."},
    {CONFIG_BROKER, "mqtt_port", CONFIG_NUMBER, "11883", 1, CONFIG_PORT_MAX, BROKER_AT(mqtt_port),
     "The broker's port for MQTT over TCP, without TLS: for whoever may reach `host`, roomd and httpd among them unless there is a `socket`."},
    {CONFIG_BROKER, "socket", CONFIG_SOCKET, "", 0, 0, BROKER_AT(socket),
     "A Unix socket by which roomd and httpd reach a broker of their machine, in a folder that only their user may enter; `{broker}`, once in it, stands for the broker's name. Empty: `host` and mqtt_port."},
    {CONFIG_BROKER, "bind", CONFIG_ADDRESS, "127.0.0.1", 0, 0, BROKER_AT(bind),
     "The address that the broker's public listeners bind: ws_port, and with TLS mqtts_port."},
    {CONFIG_BROKER, "mqtts_port", CONFIG_NUMBER, "8883", 1, CONFIG_PORT_MAX, BROKER_AT(mqtts_port),
     "The broker's port for MQTT over TLS, for devices. Only with tls_cert."},
    {CONFIG_BROKER, "ws_port", CONFIG_NUMBER, "9001", 1, CONFIG_PORT_MAX, BROKER_AT(ws_port),
     "The broker's port for MQTT over WebSocket."},
    {CONFIG_BROKER, "ws_url", CONFIG_WS, "", 0, 0, BROKER_AT(ws_url),
     "What browsers are told; `{host}` stands for the host they asked httpd by. Empty: `ws://{host}:WS_PORT/`, or `wss:` with tls_cert."},
    {CONFIG_BROKER, "tick_ms", CONFIG_NUMBER, "5", 0, 1000, BROKER_AT(tick_ms),
     "While somebody connects or negotiates, milliseconds between two packets that keep the broker's loop turning. 0: none."},

    {"rooms", "store", CONFIG_TEXT, "", 0, 0, AT(roomd_store),
     "roomd's SQLite file; `{broker}`, once in it, stands for the broker's name. Empty: in state_dir, `roomd.sqlite` for the broker that is named first, `roomd-NAME.sqlite` for others."},
    {"rooms", "grace_s", CONFIG_NUMBER, "30", 0, DAY_S, AT(grace_s),
     "Seconds that a seat is kept for a member whose connection is lost."},
    {"rooms", "room_ttl_s", CONFIG_NUMBER, "86400", 1, YEAR_S, AT(room_ttl_s),
     "Seconds after which an empty room ends."},

    {"tokens", "ttl_s", CONFIG_NUMBER, "3600", 1, YEAR_S, AT(token_ttl_s),
     "Seconds that a person's token is valid."},

    {"turn", "urls", CONFIG_ICE, "", 0, 0, AT(turn_urls),
     "stun: and turn: URLs that browsers are given, separated by blanks."},
    {"turn", "secret_file", CONFIG_TEXT, "", 0, 0, AT(turn_secret_file),
     "A file with the TURN server's shared secret (TURN REST)."},
    {"turn", "ttl_s", CONFIG_NUMBER, "3600", 1, YEAR_S, AT(turn_ttl_s),
     "Seconds that TURN credentials are valid."},

    {"limits", "client_messages_per_s", CONFIG_NUMBER, "100", 0, COUNT_MAX, AT(client_messages_per_s),
     "Messages a second from one client. 0: off, as for every limit."},
    {"limits", "client_bytes_per_s", CONFIG_NUMBER, "524288", 0, COUNT_MAX, AT(client_bytes_per_s),
     "Bytes a second from one client."},
    {"limits", "address_connects_per_min", CONFIG_NUMBER, "600", 0, COUNT_MAX, AT(address_connects_per_min),
     "Connects a minute from one address."},
    {"limits", "address_rooms_per_min", CONFIG_NUMBER, "60", 0, COUNT_MAX, AT(address_rooms_per_min),
     "Rooms created a minute from one address."},
    {"limits", "address_tokens_per_min", CONFIG_NUMBER, "300", 0, COUNT_MAX, AT(address_tokens_per_min),
     "Tokens given a minute to one address."},
    {"limits", "rooms_max", CONFIG_NUMBER, "100000", 0, COUNT_MAX, AT(rooms_max),
     "Rooms at a time, at each broker."},
    {"limits", "peers_max", CONFIG_NUMBER, "200000", 0, COUNT_MAX, AT(peers_max),
     "Members at a time, over all rooms of a broker."},
};
/* clang-format on */

const struct config_option *config_find_option(const char *section, const char *name)
{
    if (!config_is_section(section))
        return NULL;
    if (config_broker_name(section))
        section = CONFIG_BROKER;
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(config_options[i].section, section) == 0 &&
            strcmp(config_options[i].name, name) == 0)
            return &config_options[i];
    }
    return NULL;
}

const char *config_broker_name(const char *section)
{
    const size_t len = sizeof CONFIG_BROKER; /* the word and the blank behind it */
    if (strncmp(section, CONFIG_BROKER " ", len) != 0)
        return NULL;
    return id_is_valid(section + len, strlen(section + len)) ? section + len : NULL;
}

bool config_is_section(const char *section)
{
    if (strcmp(section, CONFIG_BROKER) == 0)
        return false; /* it needs a name */
    if (config_broker_name(section))
        return true;
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(config_options[i].section, section) == 0)
            return true;
    }
    return false;
}

/* ---- values ---- */

/* No value that config_write could not write and config_load read back: INI has no quotes. */
static const char *check_text(const char *value)
{
    size_t len = strlen(value);
    if (len > CONFIG_TEXT_MAX)
        return "is too long";
    for (size_t i = 0, size; i < len; i += size) {
        uint32_t c;
        size = utf8_read(value + i, len - i, &c);
        if (size == 0)
            return "is not valid UTF-8"; /* httpd puts values into JSON */
        bool after_blank = i == 0 || value[i - 1] == ' ';
        if (c < 0x20 || c == 0x7f)
            return "holds a control character";
        if (after_blank && (c == ';' || c == '#'))
            return "holds a comment mark after a blank";
    }
    if (len > 0 && (value[0] == ' ' || value[len - 1] == ' '))
        return "starts or ends with a blank";
    return NULL;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *check_url(const char *value, const char *plain, const char *secure,
                             const char *fault)
{
    if (value[0] == '\0')
        return NULL;
    bool fine = (starts_with(value, plain) && strlen(value) > strlen(plain)) ||
                (starts_with(value, secure) && strlen(value) > strlen(secure));
    return fine && !strchr(value, ' ') ? NULL : fault;
}

static const char *check_ice(const char *value)
{
    static const char *const schemes[] = {"stun:", "stuns:", "turn:", "turns:"};
    for (const char *url = value + strspn(value, " "); *url;) {
        size_t i = 0;
        while (i < sizeof schemes / sizeof *schemes && !starts_with(url, schemes[i]))
            i++;
        if (i == sizeof schemes / sizeof *schemes)
            return "is not a list of stun: and turn: URLs";
        url += strcspn(url, " ");
        url += strspn(url, " ");
    }
    return NULL;
}

static const char *check_kind(enum config_kind kind, const char *value)
{
    unsigned char address[sizeof(struct in6_addr)];
    struct address_nets nets;
    switch (kind) {
    case CONFIG_HOST:
        return value[0] && !strchr(value, ' ') ? NULL : "is not a host's name or address";
    case CONFIG_ADDRESS:
        return inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1
                   ? NULL
                   : "is not an IPv4 or IPv6 address";
    case CONFIG_HTTP:
        return check_url(value, "http://", "https://", "is not an http: or https: URL");
    case CONFIG_WS:
        return check_url(value, "ws://", "wss://", "is not a ws: or wss: URL");
    case CONFIG_SOCKET:
        return value[0] == '\0' || (value[0] == '/' && !strchr(value, ' '))
                   ? NULL
                   : "is not an absolute path without blanks";
    case CONFIG_ICE:
        return check_ice(value);
    case CONFIG_NETS:
        return address_nets_parse(value, &nets) ? NULL : "is not a list of addresses and prefixes";
    case CONFIG_LEVEL:
        return log_level_from_name(value) >= 0 ? NULL : "is not error, warn, info or debug";
    case CONFIG_TEXT:
    case CONFIG_NUMBER:
        break;
    }
    return NULL;
}

/* Digits only: strtoul alone would take blanks, signs and what follows a number. */
static bool read_number(const struct config_option *option, const char *value, unsigned *out)
{
    if (value[0] == '\0' || value[strspn(value, "0123456789")] != '\0')
        return false;
    errno = 0;
    unsigned long number = strtoul(value, NULL, 10);
    if (errno || number < option->min || number > option->max)
        return false;
    *out = (unsigned)number;
    return true;
}

bool config_assign(const struct config_option *option, void *base, const char *value,
                   char why[static CONFIG_WHY_MAX + 1])
{
    char *at = (char *)base + option->offset;
    const char *fault = check_text(value);
    if (!fault)
        fault = check_kind(option->kind, value);
    if (fault) {
        snprintf(why, CONFIG_WHY_MAX + 1, "%s %s", option->name, fault);
        return false;
    }
    if (option->kind == CONFIG_NUMBER) {
        if (read_number(option, value, (unsigned *)(void *)at))
            return true;
        snprintf(why, CONFIG_WHY_MAX + 1, "%s is not a whole number from %u to %u", option->name,
                 option->min, option->max);
        return false;
    }
    if (option->kind == CONFIG_LEVEL)
        *(int *)(void *)at = log_level_from_name(value);
    else
        memcpy(at, value, strlen(value) + 1);
    return true;
}

bool config_derive_keys_file(const struct config *config, char out[static CONFIG_TEXT_MAX + 1])
{
    return snprintf(out, CONFIG_TEXT_MAX + 1, "%s/keys", config->state_dir) <= CONFIG_TEXT_MAX;
}
