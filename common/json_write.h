/*
 * json_write: JSON text into a buffer of the caller's, without allocation; whole numbers are
 * written exactly.
 *
 *     struct json_out out = json_start(buffer, size);
 *     json_open(&out, NULL, '{');
 *     json_text(&out, "session", session);
 *     json_close(&out, '}');
 *     return json_finish(&out);
 *
 * Names are written as they are: they come from the source. Text is valid UTF-8, checked when it
 * came in.
 */
#ifndef PARLEY_JSON_WRITE_H
#define PARLEY_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_out {
    char *text;
    size_t size; /* of the buffer, its terminating NUL included */
    size_t len;
    bool full;  /* something did not fit */
    bool first; /* no comma is due */
};

struct json_out json_start(char *text, size_t size);

/* Opens an object ('{') or array ('['), and closes it ('}', ']'). `name` is NULL in an array and at
 * the top. */
void json_open(struct json_out *out, const char *name, char bracket);
void json_close(struct json_out *out, char bracket);

void json_text(struct json_out *out, const char *name, const char *value);
void json_count(struct json_out *out, const char *name, uint64_t value);
void json_flag(struct json_out *out, const char *name, bool value);

/* The length of the NUL-terminated text, or 0 and an empty text when it did not fit. */
size_t json_finish(struct json_out *out);

#endif
