/*
 * httpd's readers of a request, on any text: the first line is taken as a path, as every header
 * field that is read, and as the operator's public URL, the second as an Origin.
 *
 * A path is decoded to what its bytes say and to nothing that climbs, doubles or hides a slash; a
 * route is reached by any encoding of a path, or by none. Nothing made from a Host field can hold a
 * blank, a quote or a slash, and our own origin is one text and no other. Fields are read within
 * their text.
 */
#include "fuzz.h"

#include "httpd/headers.h"
#include "httpd/pages.h"
#include "httpd/router.h"
#include "httpd/site.h"

#include <ctype.h>
#include <strings.h>

/* ---- paths ---- */

/* Is every segment of the decoded `path` a name? Only the last one may be empty. */
static bool is_tidy(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *segment = path + 1;; segment++) {
        size_t len = strcspn(segment, "/");
        bool last = segment[len] == '\0';
        if ((len == 0 && !last) || (len == 1 && segment[0] == '.') ||
            (len == 2 && memcmp(segment, "..", 2) == 0))
            return false;
        if (last)
            return true;
        segment += len;
    }
}

/* Percent-decodes the plainest way; `out` has the room of `path`. */
static void decode(const char *path, char *out)
{
    for (; *path; path++) {
        unsigned value;
        if (*path == '%' && sscanf(path + 1, "%2x", &value) == 1) {
            *out++ = (char)value;
            path += 2;
        } else {
            *out++ = *path;
        }
    }
    *out = '\0';
}

/* Writes `path` with everything but its slashes escaped, in either case of digits. */
static void encode(const char *path, bool upper, char *out)
{
    for (; *path; path++) {
        if (*path == '/')
            *out++ = '/';
        else
            out += sprintf(out, upper ? "%%%02X" : "%%%02x", (unsigned char)*path);
    }
    *out = '\0';
}

static size_t count_slashes(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '/';
    return count;
}

static void check_path(const char *text)
{
    struct router_match match, again;
    char plain[ROUTER_PATH_MAX * 3 + 1], encoded[ROUTER_PATH_MAX * 3 + 1];
    enum router_answer answer = router_match(text, &match);
    PROMISE(answer == ROUTER_FOUND || answer == ROUTER_NOT_FOUND || answer == ROUTER_BAD_PATH);
    if (answer != ROUTER_FOUND)
        return;
    PROMISE((unsigned)match.route < ROUTE_COUNT && is_tidy(match.path));
    PROMISE(strlen(text) < sizeof plain);
    decode(text, plain);
    PROMISE(strcmp(plain, match.path) == 0);
    PROMISE(count_slashes(text) == count_slashes(plain)); /* none came out of an escape */
    for (const char *c = match.path; *c; c++)
        PROMISE((unsigned char)*c >= 0x20 && *c != 0x7f);
    PROMISE(!strchr(match.param, '/') && strstr(match.path, match.param));
    bool has_param = strchr(router_routes[match.route].pattern, '{') && match.route != ROUTE_FILE;
    PROMISE(has_param == (match.param[0] != '\0'));
    for (int upper = 0; upper < 2; upper++) {
        encode(match.path, upper, encoded);
        PROMISE(router_match(encoded, &again) == ROUTER_FOUND && again.route == match.route);
        PROMISE(strcmp(again.path, match.path) == 0 && strcmp(again.param, match.param) == 0);
    }
}

/* ---- fields ---- */

static bool has_word(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

static void check_fields(const char *text)
{
    static const char etag[] = "\"0123456789abcdef\"";
    size_t len = 0;
    const char *token = header_bearer(text, &len);
    if (token) {
        PROMISE(token > text && token + len == text + strlen(text) && len > 0);
        PROMISE(strncasecmp(text, "Bearer ", 7) == 0 && strcspn(token, " \t") == len);
    }
    PROMISE(!header_accepts_gzip(text) || has_word(text, "gzip") || strchr(text, '*'));
    PROMISE(!header_etag_matches(text, etag) || strstr(text, etag) || strchr(text, '*'));
    PROMISE(!header_is_json(text) || has_word(text, "application/json"));
    enum method method = router_method(text);
    PROMISE(method == METHOD_OTHER || method == METHOD_GET || method == METHOD_HEAD ||
            method == METHOD_POST);
    const char *type = pages_type_of(text);
    PROMISE(type == NULL || strchr(type, '/') != NULL);
    (void)pages_name_is_hashed(text);
}

/* What is known to be right stays right within a list of anything well-formed. */
static void check_lists(const char *text)
{
    static const char etag[] = "\"0123456789abcdef\"";
    if (strlen(text) > 256)
        return;
    char list[300];
    snprintf(list, sizeof list, "%s, %s", text, etag);
    PROMISE(header_etag_matches(list, etag));
    snprintf(list, sizeof list, "gzip;q=0, %s", text);
    PROMISE(!header_accepts_gzip(list));
    snprintf(list, sizeof list, "gzip, %s", text);
    PROMISE(header_accepts_gzip(list));
}

/* ---- the site ---- */

static void check_site(const struct site *site)
{
    static struct config config;
    char url[CONFIG_TEXT_MAX + HOST_MAX + 1], origins[1024];
    if (config.broker_count == 0)
        config_defaults(&config);
    PROMISE(site->host[0] != '\0' && !strpbrk(site->host, " \t\r\n\"'/;,<>\\"));
    PROMISE(!strpbrk(site->asked, " \t\r\n\"';,<>\\"));
    PROMISE(!strpbrk(site->origin, " \t\r\n\"';,<>\\"));
    PROMISE(strncasecmp(site->base, site->origin, strlen(site->origin)) == 0);
    PROMISE(site->base[strlen(site->base) - 1] != '/');
    PROMISE(site_owns_origin(site, site->origin) && !site_owns_origin(site, "null"));
    PROMISE(site_broker_url(site, &config.brokers[0], url, sizeof url));
    PROMISE(site_broker_origins(site, &config, origins, sizeof origins));
}

/* A browser writes an origin in one form (RFC 6454, 6.2): what differs from it by a byte is
 * another.
 */
static void check_origin(const struct site *site, const char *origin)
{
    bool is_ours =
        strcmp(origin, site->origin) == 0 || (site->asked[0] && strcmp(origin, site->asked) == 0);
    PROMISE(site_owns_origin(site, origin) == is_ours);
}

static void check_host(const char *text, const char *origin)
{
    struct site site;
    if (site_of_request(text, "", false, &site)) {
        PROMISE(strncmp(site.asked, "http://", 7) == 0 && strcasecmp(site.asked + 7, text) == 0);
        PROMISE(strcmp(site.origin, site.asked) == 0);
        check_site(&site);
        check_origin(&site, origin);
    }
    /* The configuration lets no other public URL through. */
    bool is_url = (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) &&
                  strlen(text) <= CONFIG_TEXT_MAX && !strchr(text, ' ');
    if (is_url && site_of_request("localhost:8080", text, false, &site)) {
        check_site(&site);
        check_origin(&site, origin);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    char *text = input_line(&in), *origin = input_line(&in);
    check_path(text);
    check_fields(text);
    check_lists(text);
    check_host(text, origin);
    free(text);
    free(origin);
    return 0;
}
