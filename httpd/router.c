#include "router.h"

#include <stddef.h>
#include <string.h>

#define GET_HEAD METHOD_GET | METHOD_HEAD, "GET, HEAD"
#define POST     METHOD_POST, "POST"

const struct route router_routes[ROUTE_COUNT] = {
    [ROUTE_HOME] = {"/", GET_HEAD, false, LIMIT_NONE},
    [ROUTE_ROOM_PAGE] = {"/r/{room}/", GET_HEAD, false, LIMIT_NONE},
    [ROUTE_ROOM_PAGE_BARE] = {"/r/{room}", GET_HEAD, false, LIMIT_NONE},
    [ROUTE_ROOMS] = {"/api/rooms", POST, false, LIMIT_ROOMS},
    [ROUTE_ROOM] = {"/api/rooms/{room}", GET_HEAD, false, LIMIT_NONE},
    [ROUTE_PEERS] = {"/api/rooms/{room}/peers", POST, false, LIMIT_TOKENS},
    [ROUTE_RING] = {"/api/devices/{device}/ring", POST, false, LIMIT_NONE},
    [ROUTE_HEALTHZ] = {"/healthz", GET_HEAD, true, LIMIT_NONE},
    [ROUTE_READYZ] = {"/readyz", GET_HEAD, true, LIMIT_NONE},
    [ROUTE_METRICS] = {"/metrics", GET_HEAD, true, LIMIT_NONE},
    [ROUTE_FILE] = {"/{file}", GET_HEAD, false, LIMIT_NONE},
};

static const struct {
    const char *name;
    enum method method;
} methods[] = {
    {"GET", METHOD_GET},
    {"HEAD", METHOD_HEAD},
    {"POST", METHOD_POST},
};

enum method router_method(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(name, methods[i].name) == 0)
            return methods[i].method;
    }
    return METHOD_OTHER;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads one character of a path, escaped or not, and moves on; -1 when it is none. A NUL is a
 * control character. */
static int next_char(const char **at)
{
    int c = (unsigned char)**at;
    (*at)++;
    if (c == '%') {
        int high = hex_digit((*at)[0]);
        int low = high < 0 ? -1 : hex_digit((*at)[1]);
        if (low < 0)
            return -1;
        c = high * 16 + low;
        *at += 2;
    }
    return c < 0x20 || c == 0x7f ? -1 : c;
}

/* Is the segment that ends the `len` bytes of `path` a name, not empty and not a way up? */
static bool segment_is_name(const char *path, size_t len)
{
    size_t start = len;
    while (path[start - 1] != '/')
        start--;
    size_t size = len - start;
    return size > 0 && !(size == 1 && path[start] == '.') &&
           !(size == 2 && memcmp(path + start, "..", 2) == 0);
}

/* Decodes all of `path`: a bad character anywhere is told, even behind what names nothing. */
static enum router_answer decode(const char *path, char out[static ROUTER_PATH_MAX + 1])
{
    enum router_answer answer = ROUTER_FOUND;
    size_t len = 0;
    if (*path != '/')
        return ROUTER_BAD_PATH;
    out[len++] = *path++;
    while (*path) {
        bool is_separator = *path == '/';
        int c = next_char(&path);
        if (c < 0)
            return ROUTER_BAD_PATH;
        if (len == ROUTER_PATH_MAX || (c == '/' && (!is_separator || !segment_is_name(out, len))))
            answer = ROUTER_NOT_FOUND;
        if (len < ROUTER_PATH_MAX)
            out[len++] = (char)c;
    }
    out[len] = '\0';
    if (out[len - 1] != '/' && !segment_is_name(out, len))
        answer = ROUTER_NOT_FOUND;
    return answer;
}

/* Holds a decoded path against a pattern; what stands at its {…} goes to `param`. */
static bool fits(const char *pattern, const char *path, char param[static ROUTER_PATH_MAX + 1])
{
    param[0] = '\0';
    for (; *pattern; pattern++) {
        if (*pattern == '{') {
            size_t len = strcspn(path, "/");
            if (len == 0)
                return false;
            memcpy(param, path, len);
            param[len] = '\0';
            path += len;
            pattern = strchr(pattern, '}');
        } else if (*path++ != *pattern) {
            return false;
        }
    }
    return *path == '\0';
}

enum router_answer router_match(const char *path, struct router_match *out)
{
    enum router_answer answer = decode(path, out->path);
    if (answer != ROUTER_FOUND)
        return answer;
    out->route = 0;
    while (out->route < ROUTE_FILE &&
           !fits(router_routes[out->route].pattern, out->path, out->param))
        out->route++;
    if (out->route == ROUTE_FILE)
        out->param[0] = '\0';
    return ROUTER_FOUND;
}
