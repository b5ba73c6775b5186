#include "ids.h"

#include "utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- the form of ids ---- */

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
}

bool id_is_valid(const char *text, size_t len)
{
    if (len == 0 || len > ROOM_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_id_char(text[i]))
            return false;
    }
    return true;
}

static const struct {
    enum role role;
    char prefix; /* of a peer id, before the `-`; 0 = none */
    const char *name;
} roles[] = {
    {ROLE_NONE, 0, "none"},         {ROLE_PEER, 'p', "peer"},         {ROLE_DEVICE, 'd', "device"},
    {ROLE_SERVICE, 's', "service"}, {ROLE_OPERATOR, 'o', "operator"},
};

#define ROLE_COUNT (sizeof roles / sizeof *roles)

enum role peer_id_role(const char *text, size_t len)
{
    /* A prefix alone names nobody. */
    if (len < 3 || !id_is_valid(text, len) || text[1] != '-')
        return ROLE_NONE;
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (roles[i].prefix == text[0])
            return roles[i].role;
    }
    return ROLE_NONE;
}

const char *role_name(enum role role)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (roles[i].role == role)
            return roles[i].name;
    }
    return roles[0].name;
}

enum role role_from_name(const char *name)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(roles[i].name, name) == 0)
            return roles[i].role;
    }
    return ROLE_NONE;
}

/* ---- peer names ---- */

struct range {
    uint32_t first, last;
};

/* What String.prototype.trim takes off (ECMA-262, WhiteSpace and LineTerminator), so that page and
 * server agree. */
static const struct range white_space[] = {
    {0x0009, 0x000d}, {0x0020, 0x0020}, {0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff},
};

/* Controls, separators that start a line, and the marks that would turn round the text a name
 * stands in (UAX #9, 2.1 to 2.4). */
static const struct range refused[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x2028, 0x2029}, {0x202a, 0x202e}, {0x2066, 0x2069},
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}

#define IN(code, ranges) in_ranges((code), (ranges), sizeof(ranges) / sizeof *(ranges))

enum status peer_name_clean(const char *text, size_t len, char out[static PEER_NAME_MAX + 1])
{
    /* `end` and `chars` go as far as the last code point that is no white space: what follows is
     * trimmed. */
    size_t start = 0, end = 0, seen = 0, chars = 0;
    bool bad = false, bad_if_kept = false;
    for (size_t at = 0; at < len;) {
        uint32_t code;
        size_t size = utf8_read(text + at, len - at, &code);
        if (size == 0)
            return STATUS_BAD_PEER_NAME;
        if (IN(code, white_space) && seen == 0) {
            start = at + size;
        } else {
            seen++;
            bad_if_kept = bad_if_kept || IN(code, refused);
            if (!IN(code, white_space)) {
                end = at + size;
                chars = seen;
                bad = bad_if_kept;
            }
        }
        at += size;
    }
    if (chars == 0 || chars > PEER_NAME_CHARS_MAX || bad)
        return STATUS_BAD_PEER_NAME;
    memcpy(out, text + start, end - start);
    out[end - start] = '\0';
    return STATUS_OK;
}

/* ---- new ids ---- */

void random_bytes(void *out, size_t size)
{
    unsigned char *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        at += got;
        size -= (size_t)got;
    }
}

/* Crockford's base32: no i, l, o or u, so that an id can be read out and typed. */
static const char base32[32] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Writes `count` characters of 5 random bits each, NUL-terminated; `group` > 0 puts a `-` after
 * every so many. */
static void random_base32(char *out, size_t count, size_t group)
{
    unsigned char bytes[32];
    random_bytes(bytes, count);
    for (size_t i = 0; i < count; i++) {
        if (group > 0 && i > 0 && i % group == 0)
            *out++ = '-';
        *out++ = base32[bytes[i] & 31];
    }
    *out = '\0';
}

#define BASE32_128_BITS 26 /* 26 characters hold 130 */

void room_id_generate(char out[static ROOM_ID_MAX + 1])
{
    random_base32(out, 12, 4);
}

void peer_id_generate(char out[static PEER_ID_MAX + 1])
{
    memcpy(out, "p-", 2);
    random_base32(out + 2, BASE32_128_BITS, 0);
}

void random_id_generate(char out[static REQUEST_ID_MAX + 1])
{
    random_base32(out, BASE32_128_BITS, 0);
}
