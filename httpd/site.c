#include "site.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 253

static bool port_is_valid(const char *text, size_t len)
{
    if (len == 0 || len > 5 || strspn(text, "0123456789") < len)
        return false;
    long port = strtol(text, NULL, 10);
    return port >= 1 && port <= 65535;
}

static bool is_bracketed_ipv6(const char *text, size_t len)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[16];
    if (len < 4 || len - 2 >= sizeof address || text[0] != '[' || text[len - 1] != ']')
        return false;
    memcpy(address, text + 1, len - 2);
    address[len - 2] = '\0';
    return inet_pton(AF_INET6, address, binary) == 1;
}

static bool is_name(const char *text, size_t len)
{
    if (len == 0 || len > NAME_MAX_BYTES || text[0] == '.' || text[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
            return false;
        if (text[i] == '.' && i > 0 && text[i - 1] == '.')
            return false;
    }
    return true;
}

/* Checks `len` bytes of host[:port]; `*host_len` gets the length of the host alone. */
static bool host_is_valid(const char *text, size_t len, size_t *host_len)
{
    const char *bracket = memchr(text, ']', len);
    const char *from = bracket ? bracket : text;
    const char *colon = memchr(from, ':', len - (size_t)(from - text));
    *host_len = colon ? (size_t)(colon - text) : len;
    if (colon && !port_is_valid(colon + 1, len - *host_len - 1))
        return false;
    return is_name(text, *host_len) || is_bracketed_ipv6(text, *host_len);
}

static void copy_lower(char *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[len] = '\0';
}

/* The length of `scheme://host[:port]` at the start of a URL, or 0; `*host` and `*host_len` say
 * where the host is. */
static size_t origin_span(const char *url, const char **host, size_t *host_len)
{
    const char *mark = strstr(url, "://");
    if (!mark)
        return 0;
    *host = mark + 3;
    size_t len = strcspn(*host, "/?#");
    return host_is_valid(*host, len, host_len) ? (size_t)(*host - url) + len : 0;
}

static bool take_public_url(const char *url, struct site *out)
{
    const char *host;
    size_t host_len;
    size_t span = origin_span(url, &host, &host_len);
    size_t len = strlen(url);
    if (span == 0 || len >= sizeof out->base || strpbrk(url, "?#"))
        return false;
    while (url[len - 1] == '/')
        len--;
    memcpy(out->base, url, len);
    out->base[len] = '\0';
    copy_lower(out->origin, url, span);
    copy_lower(out->host, host, host_len);
    return true;
}

bool site_of_request(const char *host_field, const char *public_url, bool tls, struct site *out)
{
    size_t host_len = 0;
    *out = (struct site){.tls = tls};
    if (host_field) {
        size_t len = strlen(host_field);
        if (len > HOST_MAX || !host_is_valid(host_field, len, &host_len))
            return false;
        int scheme_len = snprintf(out->asked, sizeof out->asked, tls ? "https://" : "http://");
        copy_lower(out->asked + scheme_len, host_field, len);
    }
    if (public_url[0])
        return take_public_url(public_url, out);
    if (!host_field)
        return false;
    memcpy(out->base, out->asked, sizeof out->asked);
    memcpy(out->origin, out->asked, sizeof out->asked);
    copy_lower(out->host, host_field, host_len);
    return true;
}

bool site_is_https(const struct config *config)
{
    const char *url = config->http_public_url;
    return url[0] ? strncasecmp(url, "https:", 6) == 0 : config->tls_cert[0] != '\0';
}

bool site_owns_origin(const struct site *site, const char *origin)
{
    return strcmp(origin, site->origin) == 0 ||
           (site->asked[0] && strcmp(origin, site->asked) == 0);
}

bool site_broker_url(const struct site *site, const struct config_broker *broker, char *out,
                     size_t size)
{
    static const char mark[] = "{host}";
    char standard[sizeof "wss://{host}:65535/"];
    const char *form = broker->ws_url;
    if (!form[0]) {
        snprintf(standard, sizeof standard, "%s://{host}:%u/", site->tls ? "wss" : "ws",
                 broker->ws_port % 65536);
        form = standard;
    }
    const char *at = strstr(form, mark);
    int len = at ? snprintf(out, size, "%.*s%s%s", (int)(at - form), form, site->host,
                            at + sizeof mark - 1)
                 : snprintf(out, size, "%s", form);
    return len >= 0 && (size_t)len < size;
}

/* Is `word` of `len` bytes one of the blank-separated words of `list`? */
static bool has_word(const char *list, const char *word, size_t len)
{
    for (const char *at = list; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    }
    return false;
}

bool site_broker_origins(const struct site *site, const struct config *config, char *out,
                         size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < config->broker_count; i++) {
        char url[CONFIG_TEXT_MAX + HOST_MAX + 1];
        const char *host;
        size_t host_len;
        if (!site_broker_url(site, &config->brokers[i], url, sizeof url))
            return false;
        size_t span = origin_span(url, &host, &host_len);
        if (span == 0)
            return false;
        if (has_word(out, url, span))
            continue;
        if (used + 1 + span >= size)
            return false;
        used += (size_t)snprintf(out + used, size - used, " %.*s", (int)span, url);
    }
    return true;
}
