#include "topics.h"

#include <string.h>

#define SEGMENTS_MAX 6

/* Placeholders: a segment that starts with `{` stands for an id. */
#define ROOM "{room}"
#define PEER "{peer}"
#define FROM "{from}"

/* docs/protocol.md, "Topics": the names below TOPIC_ROOT, by segments. The last literal is the
 * event's name. */
static const struct row {
    const char *segments[SEGMENTS_MAX];
    int qos;
    bool retained;
    size_t payload_max;
} rows[TOPIC_KIND_COUNT] = {
    [TOPIC_NONE] = {{""}, 0, false, 0},
    [TOPIC_ROOM_STATE] = {{"rooms", ROOM, "state"}, 0, true, OUTBOUND_MAX},
    [TOPIC_JOIN] = {{"rooms", ROOM, "from", PEER, "join"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_CUT_REQUEST] = {{"rooms", ROOM, "from", PEER, "cut-the-call"},
                           1,
                           false,
                           EVENT_PAYLOAD_MAX},
    [TOPIC_GONE] = {{"rooms", ROOM, "from", PEER, "gone"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_JOINED] = {{"rooms", ROOM, "to", PEER, "joined"}, 1, false, OUTBOUND_MAX},
    [TOPIC_FULL_ROOM] = {{"rooms", ROOM, "to", PEER, "full-room"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_USER_ARRIVED] = {{"rooms", ROOM, "to", PEER, "user-arrived"},
                            1,
                            false,
                            EVENT_PAYLOAD_MAX},
    [TOPIC_USER_AWAY] = {{"rooms", ROOM, "to", PEER, "user-away"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_CUT_NOTICE] = {{"rooms", ROOM, "to", PEER, "cut-the-call"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_ROOM_ERROR] = {{"rooms", ROOM, "to", PEER, "error"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_PEER_ROOMD_STATUS] = {{"rooms", ROOM, "to", PEER, "roomd-status"},
                                 1,
                                 false,
                                 EVENT_PAYLOAD_MAX},
    [TOPIC_OFFER] = {{"rooms", ROOM, "to", PEER, "offer", FROM}, 1, false, SDP_PAYLOAD_MAX},
    [TOPIC_ANSWER] = {{"rooms", ROOM, "to", PEER, "answer", FROM}, 1, false, SDP_PAYLOAD_MAX},
    [TOPIC_CANDIDATE] = {{"rooms", ROOM, "to", PEER, "candidate", FROM},
                         0,
                         false,
                         CANDIDATES_PAYLOAD_MAX},
    [TOPIC_CREATE_ROOM] = {{"lobby", "from", PEER, "create-room"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_ROOM_CREATED] = {{"lobby", "to", PEER, "room-created"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_LOBBY_ERROR] = {{"lobby", "to", PEER, "error"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_DEVICE_STATUS] = {{"devices", PEER, "status"}, 1, true, EVENT_PAYLOAD_MAX},
    [TOPIC_DEVICE_RING] = {{"devices", PEER, "ring"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_DEVICE_RING_ANSWER] = {{"devices", PEER, "ring-answer"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_DEVICE_CALL] = {{"devices", PEER, "call"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_DEVICE_ROOMD_STATUS] = {{"devices", PEER, "roomd-status"}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_ROOMD_STATUS] = {{"roomd", "status"}, 1, true, EVENT_PAYLOAD_MAX},
    [TOPIC_ROOMD_STATS] = {{"roomd", "stats"}, 0, true, OUTBOUND_MAX},
    [TOPIC_ROOM_EXISTS] = {{"roomd", "rooms", ROOM}, 1, false, EVENT_PAYLOAD_MAX},
    [TOPIC_GATE_STATS] = {{"gate", "stats"}, 0, true, OUTBOUND_MAX},
    [TOPIC_GATE_PUBLISH] = {{"gate", "publish"}, 0, false, BUNDLE_PAYLOAD_MAX},
};

static const struct row *row_of(enum topic_kind kind)
{
    return &rows[(unsigned)kind < TOPIC_KIND_COUNT ? kind : TOPIC_NONE];
}

/* Where `topic` keeps the id that placeholder `segment` stands for; NULL for a literal. */
static char *field_of(struct topic *topic, const char *segment)
{
    if (segment[0] != '{')
        return NULL;
    return segment[1] == 'r' ? topic->room : segment[1] == 'p' ? topic->peer : topic->from;
}

/* ---- parse and format ---- */

struct piece {
    const char *text;
    size_t len;
};

/* Splits `len` bytes at `/`; 0 when there are more than SEGMENTS_MAX pieces. */
static size_t split(const char *text, size_t len, struct piece pieces[static SEGMENTS_MAX])
{
    const char *end = text + len;
    for (size_t count = 0; count < SEGMENTS_MAX; count++) {
        const char *slash = memchr(text, '/', (size_t)(end - text));
        pieces[count] = (struct piece){text, (size_t)((slash ? slash : end) - text)};
        if (!slash)
            return count + 1;
        text = slash + 1;
    }
    return 0;
}

/* True when the row has `count` segments and its literals are where it wants them. No two rows
 * agree on all literals. */
static bool literals_match(const struct row *row, const struct piece *pieces, size_t count)
{
    if (!row->segments[count - 1] || (count < SEGMENTS_MAX && row->segments[count]))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *segment = row->segments[i];
        if (segment[0] != '{' && (strlen(segment) != pieces[i].len ||
                                  memcmp(segment, pieces[i].text, pieces[i].len) != 0))
            return false;
    }
    return true;
}

static bool take_ids(const struct row *row, const struct piece *pieces, size_t count,
                     struct topic *out)
{
    _Static_assert(ROOM_ID_MAX == PEER_ID_MAX, "one form of id");
    for (size_t i = 0; i < count; i++) {
        char *field = field_of(out, row->segments[i]);
        if (!field)
            continue;
        if (!id_is_valid(pieces[i].text, pieces[i].len))
            return false;
        memcpy(field, pieces[i].text, pieces[i].len);
        field[pieces[i].len] = '\0';
    }
    return true;
}

static void clear(struct topic *topic)
{
    topic->kind = TOPIC_NONE;
    topic->room[0] = topic->peer[0] = topic->from[0] = '\0';
}

bool topic_parse(const char *name, size_t len, struct topic *out)
{
    const size_t root = sizeof TOPIC_ROOT - 1;
    struct piece pieces[SEGMENTS_MAX];
    clear(out);
    if (len > TOPIC_MAX || len <= root || memcmp(name, TOPIC_ROOT, root) != 0)
        return false;
    size_t count = split(name + root, len - root, pieces);
    if (count == 0)
        return false;
    for (enum topic_kind kind = TOPIC_NONE + 1; kind < TOPIC_KIND_COUNT; kind++) {
        if (!literals_match(&rows[kind], pieces, count))
            continue;
        if (!take_ids(&rows[kind], pieces, count, out)) {
            clear(out);
            return false;
        }
        out->kind = kind;
        return true;
    }
    return false;
}

bool topic_format(const struct topic *topic, char out[static TOPIC_MAX + 1])
{
    const struct row *row = row_of(topic->kind);
    struct topic copy = *topic;
    size_t at = sizeof TOPIC_ROOT - 1;
    out[0] = '\0';
    if (row == &rows[TOPIC_NONE])
        return false;
    memcpy(out, TOPIC_ROOT, at);
    for (size_t i = 0; i < SEGMENTS_MAX && row->segments[i]; i++) {
        const char *field = field_of(&copy, row->segments[i]);
        const char *text = field ? field : row->segments[i];
        size_t len = strnlen(text, ROOM_ID_MAX + 1);
        if (!id_is_valid(text, len)) {
            out[0] = '\0';
            return false;
        }
        /* Six segments of at most 64 and their separators always fit. */
        _Static_assert(sizeof TOPIC_ROOT + 3 * (ROOM_ID_MAX + 1) + sizeof "rooms/to/candidate" <=
                           TOPIC_MAX,
                       "the longest topic fits");
        if (i > 0)
            out[at++] = '/';
        memcpy(out + at, text, len);
        at += len;
    }
    out[at] = '\0';
    return true;
}

/* ---- what a kind is ---- */

const char *topic_event(enum topic_kind kind)
{
    const struct row *row = row_of(kind);
    const char *event = "";
    for (size_t i = 0; i < SEGMENTS_MAX && row->segments[i]; i++) {
        if (row->segments[i][0] != '{')
            event = row->segments[i];
    }
    return event;
}

int topic_qos(enum topic_kind kind)
{
    return row_of(kind)->qos;
}

bool topic_is_retained(enum topic_kind kind)
{
    return row_of(kind)->retained;
}

size_t topic_payload_max(enum topic_kind kind)
{
    return row_of(kind)->payload_max;
}

/* ---- filters (MQTT 5.0, 4.7) ---- */

/* A wildcard stands alone in its level, and `#` in the last one. */
static bool filter_is_valid(const char *filter)
{
    if (filter[0] == '\0')
        return false;
    for (const char *c = filter; *c; c++) {
        if (*c != '+' && *c != '#')
            continue;
        bool starts = c == filter || c[-1] == '/';
        bool ends = c[1] == '\0' || (*c == '+' && c[1] == '/');
        if (!starts || !ends)
            return false;
    }
    return true;
}

static size_t level_length(const char *level)
{
    return strcspn(level, "/");
}

/* The level after this one, or NULL when it is the last. */
static const char *next_level(const char *level)
{
    level += level_length(level);
    return *level ? level + 1 : NULL;
}

bool topic_filter_within(const char *filter, const char *allowed)
{
    if (!filter_is_valid(filter) || !filter_is_valid(allowed))
        return false;
    /* A wildcard in the first level does not reach names that start with `$` (4.7.2). */
    if (filter[0] == '$' && (allowed[0] == '+' || allowed[0] == '#'))
        return false;
    /* Every name has a first level, so a lone `#` says the same as `+/#`. */
    if (strcmp(filter, "#") == 0)
        filter = "+/#";
    for (; allowed; filter = next_level(filter), allowed = next_level(allowed)) {
        if (allowed[0] == '#')
            return true; /* it matches its parent level too, where `filter` may have ended */
        if (!filter || filter[0] == '#')
            return false;
        size_t len = level_length(filter);
        if (allowed[0] != '+' &&
            (filter[0] == '+' || len != level_length(allowed) || memcmp(filter, allowed, len) != 0))
            return false;
        if (!next_level(filter) && next_level(allowed)) {
            return strcmp(next_level(allowed), "#") == 0;
        }
    }
    return !filter;
}
