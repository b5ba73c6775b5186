#include "access.h"

#include <string.h>

/* Who asks, as bits of a row. What a service may do hangs on its id: `s-roomd…`, `s-httpd…`. */
enum {
    PEER = 1 << 0,
    DEVICE = 1 << 1,
    ROOMD = 1 << 2,
    HTTPD = 1 << 3,
    OPERATOR = 1 << 4,
};

enum {
    SUBSCRIBE = 1 << ACCESS_SUBSCRIBE,
    READ = 1 << ACCESS_READ,
    WRITE = 1 << ACCESS_WRITE,
};

enum condition {
    ALWAYS,
    BOTH_MEMBERS, /* the topic's `peer` and `from` are both members of its room */
};

/*
 * docs/protocol.md, "Tokens". Names are below parley/v1/; the first row that matches decides.
 *
 * {self}   the asker's own peer id
 * {room}   the room of a peer's token; for a device, which has none, any room id
 * {other}  any id but the asker's own
 * + and #  as in a filter. A wildcard of the asker's matches these only, never a placeholder: that
 * is what keeps a filter within.
 */
static const struct row {
    unsigned who;
    unsigned ops;
    const char *pattern;
    enum condition condition;
} rows[] = {
    /* What one member says to the other passes while both are in, and not a message longer (rule
       3). */
    {PEER | DEVICE, READ, "rooms/{room}/to/{self}/offer/+", BOTH_MEMBERS},
    {PEER | DEVICE, READ, "rooms/{room}/to/{self}/answer/+", BOTH_MEMBERS},
    {PEER | DEVICE, READ, "rooms/{room}/to/{self}/candidate/+", BOTH_MEMBERS},
    {PEER | DEVICE, WRITE, "rooms/{room}/to/{other}/offer/{self}", BOTH_MEMBERS},
    {PEER | DEVICE, WRITE, "rooms/{room}/to/{other}/answer/{self}", BOTH_MEMBERS},
    {PEER | DEVICE, WRITE, "rooms/{room}/to/{other}/candidate/{self}", BOTH_MEMBERS},

    {PEER | DEVICE, SUBSCRIBE | READ, "rooms/{room}/to/{self}/#", ALWAYS},
    {PEER | DEVICE, SUBSCRIBE | READ, "rooms/{room}/state", ALWAYS},
    {PEER | DEVICE, SUBSCRIBE | READ, "roomd/status", ALWAYS},
    {PEER | DEVICE, WRITE, "rooms/{room}/from/{self}/join", ALWAYS},
    {PEER | DEVICE, WRITE, "rooms/{room}/from/{self}/cut-the-call", ALWAYS},
    {PEER | DEVICE, WRITE, "rooms/{room}/from/{self}/gone", ALWAYS},

    {DEVICE, SUBSCRIBE, "rooms/+/to/{self}/#", ALWAYS},
    {DEVICE, SUBSCRIBE | READ, "devices/{self}/#", ALWAYS},
    {DEVICE, SUBSCRIBE | READ, "lobby/to/{self}/#", ALWAYS},
    {DEVICE, WRITE, "devices/{self}/status", ALWAYS},
    {DEVICE, WRITE, "devices/{self}/ring-answer", ALWAYS},
    {DEVICE, WRITE, "devices/{self}/call", ALWAYS},
    {DEVICE, WRITE, "lobby/from/{self}/create-room", ALWAYS},

    {ROOMD, SUBSCRIBE | READ | WRITE, "#", ALWAYS},

    {HTTPD, SUBSCRIBE | READ, "rooms/+/state", ALWAYS},
    {HTTPD, SUBSCRIBE | READ, "devices/+/status", ALWAYS},
    {HTTPD, SUBSCRIBE | READ, "devices/+/ring-answer", ALWAYS},
    {HTTPD, SUBSCRIBE | READ, "roomd/#", ALWAYS},
    {HTTPD, SUBSCRIBE | READ, "gate/stats", ALWAYS},
    {HTTPD, SUBSCRIBE | READ, "lobby/to/{self}/#", ALWAYS},
    {HTTPD, WRITE, "lobby/from/{self}/#", ALWAYS},
    {HTTPD, WRITE, "devices/+/ring", ALWAYS},

    {OPERATOR, SUBSCRIBE | READ, "#", ALWAYS},
    {OPERATOR, WRITE, "devices/+/ring", ALWAYS},
};

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool access_is_roomd(const char *peer_id)
{
    return starts_with(peer_id, "s-roomd");
}

/* The asker's bit, or 0: other services have no business at the broker. */
static unsigned who_bit(const struct access_who *who)
{
    switch (who->role) {
    case ROLE_PEER:
        return PEER;
    case ROLE_DEVICE:
        return DEVICE;
    case ROLE_OPERATOR:
        return OPERATOR;
    case ROLE_SERVICE:
        return access_is_roomd(who->peer_id)          ? ROOMD
               : starts_with(who->peer_id, "s-httpd") ? HTTPD
                                                      : 0;
    case ROLE_NONE:
        break;
    }
    return 0;
}

/* ---- names against patterns ---- */

static bool is_text(const char *level, size_t len, const char *text)
{
    return strlen(text) == len && memcmp(level, text, len) == 0;
}

/* One level of a name, not `#`, against one level of a pattern, not `#`. */
static bool level_matches(const struct access_who *who, const char *level, size_t len,
                          const char *pattern, size_t pattern_len)
{
    if (pattern[0] == '+')
        return true;
    if (pattern[0] != '{')
        return len == pattern_len && memcmp(level, pattern, len) == 0;
    if (pattern[1] == 's')
        return is_text(level, len, who->peer_id);
    if (pattern[1] == 'o')
        return id_is_valid(level, len) && !is_text(level, len, who->peer_id);
    return who->role == ROLE_DEVICE ? id_is_valid(level, len) : is_text(level, len, who->room);
}

/* Whether everything that `name`, a topic or a filter, stands for lies within `pattern`. */
static bool pattern_matches(const struct access_who *who, const char *name, const char *pattern)
{
    for (;;) {
        if (pattern[0] == '#')
            return true;
        if (name[0] == '#')
            return false;
        size_t len = strcspn(name, "/"), pattern_len = strcspn(pattern, "/");
        if (!level_matches(who, name, len, pattern, pattern_len))
            return false;
        name += len;
        pattern += pattern_len;
        if (*name == '\0' || *pattern == '\0')
            /* `#` matches the level before it too (MQTT 5.0, 4.7.1.2). */
            return *name == *pattern || (*name == '\0' && strcmp(pattern, "/#") == 0);
        name++;
        pattern++;
    }
}

static bool both_members(const struct topic *topic, access_is_member is_member, void *ctx)
{
    return is_member && is_member(ctx, topic->room, topic->peer) &&
           is_member(ctx, topic->room, topic->from);
}

enum access_answer access_decide(const struct access_who *who, enum access_op op, const char *name,
                                 bool retain, access_is_member is_member, void *ctx)
{
    struct topic topic = {.kind = TOPIC_NONE};
    unsigned bit = who_bit(who);
    if (!bit || !starts_with(name, TOPIC_ROOT))
        return ACCESS_DENIED;
    if (op == ACCESS_SUBSCRIBE) {
        if (!topic_filter_within(name, TOPIC_ROOT "#"))
            return ACCESS_DENIED; /* not well-formed */
    } else if (!topic_parse(name, strlen(name), &topic) ||
               (retain && !topic_is_retained(topic.kind))) {
        return ACCESS_DENIED;
    }
    name += strlen(TOPIC_ROOT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        if (!(row->who & bit) || !(row->ops & 1u << op) ||
            !pattern_matches(who, name, row->pattern))
            continue;
        if (row->condition == BOTH_MEMBERS && !both_members(&topic, is_member, ctx))
            return ACCESS_NOT_A_MEMBER;
        return ACCESS_ALLOWED;
    }
    return ACCESS_DENIED;
}
