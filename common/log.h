/*
 * log: one line an event on standard error, `2026-01-31T12:00:00Z level event key=value …`.
 *
 * Values are quoted and escaped where they hold anything but printable ASCII without blanks, quotes or `=`, so no peer's
 * text can start a line or forge a field. Secrets are never given to it. `errno` is preserved. `warn` means that somebody should look.
 */
#ifndef PARLEY_LOG_H
#define PARLEY_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
    const char *key;  /* NULL ends a list */
    const char *text; /* NULL: `number` is the value */
    int64_t number;
};

/* NULL counts as empty. A function, so that an array may be handed in without a warning. */
static inline const char *log_text(const char *text)
{
    return text ? text : "";
}

#define LOG_TEXT(key, value)   ((struct log_field){(key), log_text(value), 0})
#define LOG_NUMBER(key, value) ((struct log_field){(key), 0, (int64_t)(value)})

/* Lines below `level` are not written. The start value is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* The level called `name` ("error", "warn", "info", "debug"), or -1. */
int log_level_from_name(const char *name);

/* Sends finished lines (without newline) to `sink` instead of standard error: the gate writes to the broker's log. NULL restores. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));

/* Writes one line. `fields` ends with a NULL key; a line is cut at 1,024 bytes, never inside an escape. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#define LOG_FIELDS(...)      ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0, 0, 0}})
#define log_error(event, ...) log_write(LOG_LEVEL_ERROR, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, ...)  log_write(LOG_LEVEL_WARN, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...)  log_write(LOG_LEVEL_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_debug(event, ...) log_write(LOG_LEVEL_DEBUG, event, LOG_FIELDS(__VA_ARGS__))

#endif
