/*
 * rooms_mirror: what the fuzz target of roomd's rules knows besides the rules themselves: what was
 * there before an event, what the event had to say, and whether both hold to docs/protocol.md.
 */
#ifndef PARLEY_FUZZ_ROOMS_MIRROR_H
#define PARLEY_FUZZ_ROOMS_MIRROR_H

#include "fuzz.h"

#include "roomd/rooms.h"

#define ROOM_COUNT 4 /* the last two are those that are generated */
#define TOLD_MAX   64

extern const char *const mirror_rooms[ROOM_COUNT];

/* The registry as it is at a moment. */
struct snapshot {
    bool exists[ROOM_COUNT];
    struct room rooms[ROOM_COUNT]; /* zero where there is none */
    struct rooms_counts counts;
    int64_t deadline;
    bool dirty[ROOM_COUNT];
};

/* What was emitted, with everything it pointed to. */
struct told {
    enum rooms_effect_kind kind;
    unsigned room; /* index, ROOM_COUNT when it is none of ours */
    bool has_room;
    struct room_effect step;    /* STEP */
    char peer[PEER_ID_MAX + 1]; /* CREATED, REFUSED */
    char request[REQUEST_ID_MAX + 1];
    bool created;
    enum status error;
};

struct telling {
    unsigned count;
    struct told items[TOLD_MAX];
};

/* An event as the driver made it; fields that its kind does not have are 0. */
enum op_kind { OP_JOIN, OP_CUT, OP_GONE, OP_TIME, OP_CREATE, OP_TRY_CREATE, OP_KINDS };

struct op {
    enum op_kind kind;
    unsigned room; /* CREATE: ROOM_COUNT when any will do */
    const char *room_id;
    const char *peer, *session, *name;
    bool has_seat, seat_resumes;
    uint64_t seat_rev;
    unsigned most; /* TIME */
    int64_t now;
};

/* The index of a room's id, or ROOM_COUNT. */
unsigned mirror_room_index(const char *id);

/* For rooms_options.emit: `ctx` is a struct telling. */
void mirror_emit(void *ctx, const struct rooms_effect *effect);

void mirror_take(const struct rooms *rooms, struct snapshot *out);

/* Promises that hold at any time, whatever happened. */
void mirror_check_rest(const struct snapshot *snapshot, const struct rooms_options *options);

/* Promises about one event: from `before` to `after`, with all that was told of it. `refused`: the
 * store cannot write. */
void mirror_check_event(const struct op *op, const struct snapshot *before,
                        const struct snapshot *after, const struct telling *telling, bool refused);

bool mirror_is_same(const struct snapshot *a, const struct snapshot *b);

#endif
