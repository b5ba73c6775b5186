#include "json_scan.h"

#include "limits.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A key's raw bytes between its quotes, escapes not yet resolved. */
struct key {
    const char *text;
    size_t len;
};

struct scan {
    const char *at;
    const char *end;
    unsigned depth;
};

static enum json_fault scan_value(struct scan *scan);

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
}

static bool take(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

/* ---- strings (RFC 8259, section 7) ---- */

/* Reads the four hexadecimal digits at `at`; false when there are not four before `end`. */
static bool read_hex4(const char *at, const char *end, uint32_t *out)
{
    if (end - at < 4)
        return false;
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* Reads one character of a string, escaped or not, at `*at` (not at its closing quote), and moves
 * `*at` behind it. */
static enum json_fault read_char(const char **at, const char *end, uint32_t *out)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *c = *at;
    if (*c != '\\') {
        size_t size = utf8_read(c, (size_t)(end - c), out);
        if (size == 0)
            return JSON_UTF8;
        *at += size;
        return *out == 0 ? JSON_NUL : *out < 0x20 ? JSON_SYNTAX : JSON_FINE;
    }
    if (end - c < 2)
        return JSON_SYNTAX;
    if (c[1] != 'u') {
        const char *found = memchr(escapes, c[1], sizeof escapes - 1);
        if (!found)
            return c[1] == '\0' ? JSON_NUL : JSON_SYNTAX;
        *out = (unsigned char)meanings[found - escapes];
        *at += 2;
        return JSON_FINE;
    }
    if (!read_hex4(c + 2, end, out))
        return JSON_SYNTAX;
    *at += 6;
    if (*out == 0)
        return JSON_NUL;
    if (*out < 0xd800 || *out > 0xdfff)
        return JSON_FINE;
    /* A surrogate counts only as the first of a pair. */
    uint32_t low;
    if (*out > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
        !read_hex4(*at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
        return JSON_UTF8;
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    *at += 6;
    return JSON_FINE;
}

/* Scans a string, its opening quote first; its raw text goes to `out` when that is not NULL. */
static enum json_fault scan_string(struct scan *scan, struct key *out)
{
    if (!take(scan, '"'))
        return JSON_SYNTAX;
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at != '"') {
        /* Nearly all of an SDP is plain ASCII: no call for each of its bytes. */
        if (*scan->at >= 0x20 && *scan->at < 0x7f && *scan->at != '\\') {
            scan->at++;
            continue;
        }
        uint32_t code;
        enum json_fault fault = read_char(&scan->at, scan->end, &code);
        if (fault)
            return fault;
    }
    if (out)
        *out = (struct key){start, (size_t)(scan->at - start)};
    return take(scan, '"') ? JSON_FINE : JSON_SYNTAX;
}

/* True when two scanned keys are the same once their escapes are resolved. */
static bool same_key(struct key a, struct key b)
{
    const char *a_end = a.text + a.len, *b_end = b.text + b.len;
    while (a.text < a_end && b.text < b_end) {
        uint32_t x = 0, y = 0;
        read_char(&a.text, a_end, &x);
        read_char(&b.text, b_end, &y);
        if (x != y)
            return false;
    }
    return a.text == a_end && b.text == b_end;
}

/* ---- numbers and words (RFC 8259, sections 6 and 3) ---- */

static bool take_digits(struct scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start;
}

static enum json_fault scan_number(struct scan *scan)
{
    take(scan, '-');
    if (!take(scan, '0') && !take_digits(scan))
        return JSON_SYNTAX;
    if (take(scan, '.') && !take_digits(scan))
        return JSON_SYNTAX;
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            take(scan, '-');
        if (!take_digits(scan))
            return JSON_SYNTAX;
    }
    return JSON_FINE;
}

static enum json_fault scan_word(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, words[i], len) == 0) {
            scan->at += len;
            return JSON_FINE;
        }
    }
    return scan->at < scan->end && *scan->at == '\0' ? JSON_NUL : JSON_SYNTAX;
}

/* ---- objects, arrays, values ---- */

static enum json_fault scan_members(struct scan *scan)
{
    struct key keys[JSON_MEMBERS_MAX];
    size_t count = 0;
    skip_blanks(scan);
    if (take(scan, '}'))
        return JSON_FINE;
    do {
        if (count == JSON_MEMBERS_MAX)
            return JSON_MEMBERS;
        skip_blanks(scan);
        enum json_fault fault = scan_string(scan, &keys[count]);
        if (fault)
            return fault;
        for (size_t i = 0; i < count; i++) {
            if (same_key(keys[i], keys[count]))
                return JSON_DUPLICATE_KEY;
        }
        count++;
        skip_blanks(scan);
        if (!take(scan, ':'))
            return JSON_SYNTAX;
        fault = scan_value(scan);
        if (fault)
            return fault;
        skip_blanks(scan);
    } while (take(scan, ','));
    return take(scan, '}') ? JSON_FINE : JSON_SYNTAX;
}

static enum json_fault scan_elements(struct scan *scan)
{
    skip_blanks(scan);
    if (take(scan, ']'))
        return JSON_FINE;
    do {
        enum json_fault fault = scan_value(scan);
        if (fault)
            return fault;
        skip_blanks(scan);
    } while (take(scan, ','));
    return take(scan, ']') ? JSON_FINE : JSON_SYNTAX;
}

static enum json_fault scan_nested(struct scan *scan,
                                   enum json_fault (*scan_inside)(struct scan *scan))
{
    if (scan->depth == JSON_DEPTH_MAX)
        return JSON_DEPTH;
    scan->depth++;
    enum json_fault fault = scan_inside(scan);
    scan->depth--;
    return fault;
}

static enum json_fault scan_value(struct scan *scan)
{
    skip_blanks(scan);
    if (take(scan, '{'))
        return scan_nested(scan, scan_members);
    if (take(scan, '['))
        return scan_nested(scan, scan_elements);
    if (scan->at == scan->end)
        return JSON_SYNTAX;
    if (*scan->at == '"')
        return scan_string(scan, NULL);
    if (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))
        return scan_number(scan);
    return scan_word(scan);
}

enum json_fault json_scan(const char *text, size_t len)
{
    if (len == 0)
        return JSON_SYNTAX;
    struct scan scan = {text, text + len, 0};
    enum json_fault fault = scan_value(&scan);
    if (fault)
        return fault;
    skip_blanks(&scan);
    if (scan.at == scan.end)
        return JSON_FINE;
    return *scan.at == '\0' ? JSON_NUL : JSON_SYNTAX;
}

const char *json_fault_text(enum json_fault fault)
{
    static const char *const texts[] = {
        [JSON_FINE] = "It is fine.",
        [JSON_SYNTAX] = "It is not JSON (RFC 8259).",
        [JSON_DEPTH] = "It nests deeper than 8 levels.",
        [JSON_UTF8] = "It is not valid UTF-8.",
        [JSON_NUL] = "It holds a NUL.",
        [JSON_DUPLICATE_KEY] = "An object has the same key twice.",
        [JSON_MEMBERS] = "An object has more than 64 members.",
    };
    return (unsigned)fault <= JSON_MEMBERS ? texts[fault] : texts[JSON_SYNTAX];
}
