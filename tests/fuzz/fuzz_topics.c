/*
 * topics.h on any bytes: a first line read as a topic's name, and the first two lines as filters.
 *
 * A name that parses formats to the same name. `topic_filter_within` is held against MQTT's own
 * definition of matching (MQTT 5.0, 4.7), written down here once more: a filter lies within another
 * if and only if the names that stand for all it matches are matched by the other.
 */
#include "fuzz.h"

#include "common/topics.h"

/* ---- MQTT 5.0, 4.7, in the plainest way ---- */

static bool is_filter(const char *filter)
{
    if (filter[0] == '\0')
        return false;
    for (const char *level = filter;;) {
        size_t len = strcspn(level, "/");
        bool wild = memchr(level, '+', len) || memchr(level, '#', len);
        if (wild && (len != 1 || (level[0] == '#' && level[1] != '\0')))
            return false;
        if (level[len] == '\0')
            return true;
        level += len + 1;
    }
}

static bool levels_match(const char *filter, const char *name)
{
    if (strcmp(filter, "#") == 0)
        return true;
    size_t filter_len = strcspn(filter, "/"), len = strcspn(name, "/");
    bool plus = filter_len == 1 && filter[0] == '+';
    if (!plus && (filter_len != len || memcmp(filter, name, len) != 0))
        return false;
    const char *filter_rest = filter + filter_len, *rest = name + len;
    if (*rest == '\0')
        return *filter_rest == '\0' || strcmp(filter_rest, "/#") == 0;
    return *filter_rest == '/' && levels_match(filter_rest + 1, rest + 1);
}

static bool matches(const char *filter, const char *name)
{
    if (name[0] == '$' && (filter[0] == '+' || filter[0] == '#'))
        return false;
    return levels_match(filter, name);
}

/* ---- names that stand for a filter ---- */

#define FRESH "\x01" /* a level that no filter here names; inputs that hold it are passed over */

/* Appends `filter` to `out` with every + as a fresh level; stops before a #. Returns the end. */
static char *put_plain(char *out, const char *filter)
{
    for (; *filter && *filter != '#'; filter++)
        *out++ = *filter == '+' ? FRESH[0] : *filter;
    *out = '\0';
    return out;
}

/*
 * Whether `allowed` matches all that `filter` does. A fresh level is matched by wildcards only, so
 * one name says it for all; where `filter` ends with #, so do the name that ends above it and those
 * with one to as many fresh levels as `allowed` has, and one more.
 */
static bool all_match(const char *filter, const char *allowed)
{
    size_t levels = 2;
    for (const char *c = allowed; *c; c++)
        levels += *c == '/';
    char *name = malloc(strlen(filter) + 2 * levels + 2);
    PROMISE(name != NULL);
    char *end = put_plain(name, filter);
    bool all = true;
    if (!strchr(filter, '#')) {
        all = matches(allowed, name);
    } else {
        if (end > name) {
            end[-1] = '\0';
            PROMISE(matches(filter, name));
            all = matches(allowed, name);
            end[-1] = '/';
        }
        for (size_t i = 0; i < levels && all; i++) {
            if (i > 0)
                *end++ = '/';
            *end++ = FRESH[0];
            *end = '\0';
            PROMISE(matches(filter, name));
            all = matches(allowed, name);
        }
    }
    free(name);
    return all;
}

/* ---- topics ---- */

static bool is_empty_or_id(const char *id)
{
    return id[0] == '\0' || id_is_valid(id, strlen(id));
}

static void check_name(const char *name, size_t len)
{
    struct topic topic, again;
    char formatted[TOPIC_MAX + 1];
    bool parsed = topic_parse(name, len, &topic);
    PROMISE(parsed == (topic.kind != TOPIC_NONE) && topic.kind < TOPIC_KIND_COUNT);
    PROMISE(is_empty_or_id(topic.room) && is_empty_or_id(topic.peer) && is_empty_or_id(topic.from));
    if (!parsed)
        return;
    PROMISE(topic_format(&topic, formatted));
    PROMISE(strlen(formatted) == len && memcmp(formatted, name, len) == 0);
    PROMISE(topic_parse(formatted, len, &again) && again.kind == topic.kind);
    PROMISE(topic_event(topic.kind)[0] != '\0');
    PROMISE(topic_qos(topic.kind) == 0 || topic_qos(topic.kind) == 1);
    PROMISE(topic_payload_max(topic.kind) > 0 && topic_payload_max(topic.kind) <= PAYLOAD_MAX);
    PROMISE(topic_filter_within(formatted, TOPIC_ROOT "#"));
}

/* A topic put together from texts of any form: what formats parses back to it. */
static void check_parts(unsigned kind, const char *text, const char *other)
{
    struct topic topic = {.kind = (enum topic_kind)(kind % (TOPIC_KIND_COUNT + 1))}, again;
    char formatted[TOPIC_MAX + 1];
    snprintf(topic.room, sizeof topic.room, "%s", text);
    snprintf(topic.peer, sizeof topic.peer, "%s", other);
    snprintf(topic.from, sizeof topic.from, "%s", text);
    if (!topic_format(&topic, formatted)) {
        PROMISE(formatted[0] == '\0');
        return;
    }
    PROMISE(topic_parse(formatted, strlen(formatted), &again) && again.kind == topic.kind);
    PROMISE(again.room[0] == '\0' || strcmp(again.room, topic.room) == 0);
    PROMISE(again.peer[0] == '\0' || strcmp(again.peer, topic.peer) == 0);
    PROMISE(again.from[0] == '\0' || strcmp(again.from, topic.from) == 0);
}

static void check_filters(const char *filter, const char *allowed)
{
    bool expected = is_filter(filter) && is_filter(allowed) && all_match(filter, allowed);
    PROMISE(topic_filter_within(filter, allowed) == expected);
    PROMISE(topic_filter_within(filter, filter) == is_filter(filter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    check_name((const char *)data, newline ? (size_t)(newline - data) : size);
    char *first = input_line(&in), *second = input_line(&in);
    if (!strpbrk(first, FRESH) && !strpbrk(second, FRESH))
        check_filters(first, second);
    check_parts((unsigned)size, first, second);
    free(first);
    free(second);
    return 0;
}
