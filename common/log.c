#include "log.h"

#include "clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

#define LEVEL_COUNT (sizeof level_names / sizeof *level_names)

static enum log_level threshold = LOG_LEVEL_INFO;
static void (*line_sink)(enum log_level level, const char *line);

struct line {
    char text[LINE_MAX_BYTES + 2]; /* a newline and a NUL behind the longest line */
    size_t len;
    bool full;
};

void log_set_level(enum log_level level)
{
    threshold = level;
}

int log_level_from_name(const char *name)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(level_names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

void log_set_sink(void (*sink)(enum log_level level, const char *line))
{
    line_sink = sink;
}

/* Adds all of `text` or nothing; after the first that does not fit nothing more is added. */
static void put(struct line *line, const char *text, size_t len)
{
    if (line->full || len > LINE_MAX_BYTES - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '=' || *c == '\\')
            return false;
    }
    return text[0] != '\0';
}

static void put_value(struct line *line, const char *text)
{
    if (is_plain(text)) {
        /* Byte by byte, so that a long value is cut and not left out. */
        for (; *text; text++)
            put(line, text, 1);
        return;
    }
    put(line, "\"", 1);
    for (; *text; text++) {
        char escape[8];
        if (*text == '"' || *text == '\\')
            put(line, (const char[]){'\\', *text}, 2);
        else if (*text >= ' ' && *text <= '~')
            put(line, text, 1);
        else
            put(line, escape,
                (size_t)snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)*text));
    }
    put(line, "\"", 1);
}

static void put_time(struct line *line)
{
    time_t now = (time_t)clock_wall_s();
    struct tm utc;
    char text[32];
    gmtime_r(&now, &utc);
    put(line, text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc));
}

static void put_field(struct line *line, const struct log_field *field)
{
    char number[24];
    put(line, " ", 1);
    put(line, field->key, strlen(field->key));
    put(line, "=", 1);
    if (field->text)
        put_value(line, field->text);
    else
        put(line, number, (size_t)snprintf(number, sizeof number, "%" PRId64, field->number));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level > threshold)
        return;
    int saved = errno;
    struct line line = {.len = 0};
    put_time(&line);
    put(&line, " ", 1);
    put(&line, level_names[level], strlen(level_names[level]));
    put(&line, " ", 1);
    put(&line, event, strlen(event));
    for (; fields->key; fields++)
        put_field(&line, fields);
    if (line_sink) {
        line.text[line.len] = '\0';
        line_sink(level, line.text);
    } else {
        /* One write a line, so that lines of several processes on one terminal do not mix. Nobody
         * to tell when it fails. */
        line.text[line.len++] = '\n';
        ssize_t written = write(STDERR_FILENO, line.text, line.len);
        (void)written;
    }
    errno = saved;
}
