#include "json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct json_out *out, const char *text, size_t len)
{
    if (out->full || len >= out->size - out->len) {
        out->full = true;
        return;
    }
    memcpy(out->text + out->len, text, len);
    out->len += len;
}

static void put_word(struct json_out *out, const char *word)
{
    put(out, word, strlen(word));
}

/* The comma before a value, and its name. */
static void put_name(struct json_out *out, const char *name)
{
    if (!out->first)
        put(out, ",", 1);
    out->first = false;
    if (name) {
        put(out, "\"", 1);
        put_word(out, name);
        put(out, "\":", 2);
    }
}

struct json_out json_start(char *text, size_t size)
{
    return (struct json_out){.text = text, .size = size, .full = size == 0, .first = true};
}

void json_open(struct json_out *out, const char *name, char bracket)
{
    put_name(out, name);
    put(out, &bracket, 1);
    out->first = true;
}

void json_close(struct json_out *out, char bracket)
{
    put(out, &bracket, 1);
    out->first = false;
}

void json_text(struct json_out *out, const char *name, const char *value)
{
    put_name(out, name);
    put(out, "\"", 1);
    for (const char *c = value; *c; c++) {
        char escape[8];
        if (*c == '"' || *c == '\\')
            put(out, (const char[]){'\\', *c}, 2);
        else if ((unsigned char)*c < 0x20)
            put(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*c));
        else
            put(out, c, 1);
    }
    put(out, "\"", 1);
}

void json_count(struct json_out *out, const char *name, uint64_t value)
{
    char digits[24];
    put_name(out, name);
    put(out, digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value));
}

void json_flag(struct json_out *out, const char *name, bool value)
{
    put_name(out, name);
    put_word(out, value ? "true" : "false");
}

size_t json_finish(struct json_out *out)
{
    if (out->full)
        out->len = 0;
    if (out->size > 0)
        out->text[out->len] = '\0';
    return out->len;
}
