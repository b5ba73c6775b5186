/*
 * The file's part of config.h: libinih for the lines, this for everything that libinih would let
 * pass: sections are taken from the lines themselves (it cuts long names), and lines that do not
 * fit its buffer are errors (it would go on in the middle).
 */
#include "config_table.h"
#include "ids.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 1024
#define FILE_BYTES_MAX (256 * 1024)

struct reading {
    const char *at, *end;
    unsigned line;
    struct config *config;
    char section[LINE_BYTES_MAX];
    struct config_broker *broker;     /* the section's, or NULL */
    bool seen[CONFIG_OPTION_COUNT];   /* options given; a broker's count within its section */
    bool opened[CONFIG_OPTION_COUNT]; /* sections given, by the index of their first option */
    bool failed;                      /* `what` and `line` say why */
    char what[CONFIG_WHY_MAX + 1];
};

static bool fail(struct reading *reading, const char *what)
{
    if (!reading->failed)
        snprintf(reading->what, sizeof reading->what, "%s", what);
    reading->failed = true;
    return false;
}

/* ---- sections ---- */

static bool open_broker(struct reading *reading, const char *name)
{
    if (config_broker_by_name(reading->config, name) >= 0)
        return fail(reading, "this broker is there twice");
    reading->broker = config_add_broker(reading->config, name);
    if (!reading->broker)
        return fail(reading, "there are too many brokers");
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(config_options[i].section, CONFIG_BROKER) == 0)
            reading->seen[i] = false;
    }
    return true;
}

static bool open_section(struct reading *reading)
{
    const char *broker = config_broker_name(reading->section);
    reading->broker = NULL;
    if (!config_is_section(reading->section))
        return fail(reading, "there is no such section");
    if (broker)
        return open_broker(reading, broker);
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(config_options[i].section, reading->section) != 0)
            continue;
        if (reading->opened[i])
            return fail(reading, "this section is there twice");
        reading->opened[i] = true;
        return true;
    }
    return true;
}

/* Looks whether `line` opens a section, and opens it. False when it is a wrong one. */
static bool look_for_section(struct reading *reading, const char *line, size_t len)
{
    size_t start = 0;
    while (start < len && (line[start] == ' ' || line[start] == '\t'))
        start++;
    if (start == len || line[start] != '[')
        return true;
    const char *name = line + start + 1;
    const char *close = memchr(name, ']', len - start - 1);
    if (!close)
        return fail(reading, "a section's name ends with ]");
    const char *rest = close + 1;
    while (rest < line + len && (*rest == ' ' || *rest == '\t' || *rest == '\r'))
        rest++;
    if (rest < line + len && *rest != ';' && *rest != '#')
        return fail(reading, "there is something behind a section's ]");
    memcpy(reading->section, name, (size_t)(close - name));
    reading->section[close - name] = '\0';
    return open_section(reading);
}

/* ---- libinih's two callbacks ---- */

/* ini_reader, in the manner of fgets: the next line into `out` of `size` bytes; NULL at the end or
 * at an error. */
static char *read_line(char *out, int size, void *context)
{
    struct reading *reading = context;
    if (reading->failed || reading->at == reading->end)
        return NULL;
    const char *newline = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
    const char *next = newline ? newline + 1 : reading->end;
    size_t len = (size_t)(next - reading->at);
    reading->line++;
    if (len >= (size_t)size || len >= LINE_BYTES_MAX) {
        fail(reading, "this line is too long");
        return NULL;
    }
    if (memchr(reading->at, '\0', len)) {
        fail(reading, "this line holds a NUL");
        return NULL;
    }
    if (!look_for_section(reading, reading->at, newline ? len - 1 : len))
        return NULL;
    memcpy(out, reading->at, len);
    out[len] = '\0';
    reading->at = next;
    return out;
}

static int take_option(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    char why[CONFIG_WHY_MAX + 1];
    (void)section; /* perhaps cut; reading->section is not */
    const struct config_option *option = config_find_option(reading->section, name);
    if (!option)
        return fail(reading, reading->section[0] ? "there is no such option in this section"
                                                 : "an option needs a [section] before it");
    bool *seen = &reading->seen[option - config_options];
    if (*seen)
        return fail(reading, "this option is there twice");
    *seen = true;
    void *base = reading->broker ? (void *)reading->broker : reading->config;
    return config_assign(option, base, value, why) || fail(reading, why);
}

/* ---- the whole file ---- */

/* What follows from the file as a whole. */
static bool finish(struct reading *reading)
{
    struct config *config = reading->config;
    char why[CONFIG_WHY_MAX + 1];
    const struct config_option *keys = config_find_option("parley", "keys_file");
    bool given = reading->seen[keys - config_options] && config->keys_file[0];
    if (!given && !config_derive_keys_file(config, config->keys_file))
        return fail(reading, "state_dir is too long");
    if (config->broker_count == 0)
        config_add_broker(config, CONFIG_BROKER_MAIN);
    return config_check(config, why) == STATUS_OK || fail(reading, why);
}

enum status config_parse(const char *name, const char *text, size_t len, struct config *out,
                         char why[static CONFIG_WHY_MAX + 1])
{
    struct config fresh;
    struct reading reading = {.at = text, .end = text + len, .config = &fresh};
    config_defaults(&fresh);
    fresh.broker_count = 0;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reading.at += 3; /* a byte order mark, as some editors leave it */
    ini_max_line = LINE_BYTES_MAX;
    ini_allow_multiline = false;
    ini_stop_on_first_error = true;
    int line = ini_parse_stream(read_line, &reading, take_option, &reading);
    if (line > 0)
        fail(&reading, "this line is no section, option = value or comment");
    if (line < 0)
        fail(&reading, "out of memory");
    if (!reading.failed)
        finish(&reading);
    if (reading.failed) {
        snprintf(why, CONFIG_WHY_MAX + 1, "%.100s:%u: %.140s", name, reading.line, reading.what);
        return STATUS_BAD_REQUEST;
    }
    *out = fresh;
    return STATUS_OK;
}

enum status config_load(const char *path, struct config *out, char why[static CONFIG_WHY_MAX + 1])
{
    enum status status = STATUS_INTERNAL;
    char *text = NULL;
    FILE *file = NULL;
    size_t len;
    if (!path) {
        config_defaults(out);
        return STATUS_OK;
    }
    file = fopen(path, "re");
    text = malloc(FILE_BYTES_MAX + 1);
    if (!file || !text) {
        snprintf(why, CONFIG_WHY_MAX + 1, "%.150s: %s", path, strerror(errno));
        goto cleanup;
    }
    len = fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file) || len > FILE_BYTES_MAX) {
        snprintf(why, CONFIG_WHY_MAX + 1, "%.150s: %s", path,
                 ferror(file) ? strerror(errno) : "the file is too large");
        goto cleanup;
    }
    status = config_parse(path, text, len, out, why);
cleanup:
    free(text);
    if (file)
        fclose(file);
    return status;
}
