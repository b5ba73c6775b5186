/*
 * Bytes as a sequence of events against roomd's registry of rooms: joins with and without seats,
 * hang-ups, losses, time, new rooms, ends of transactions, a store that fails and works again,
 * crashes and restarts.
 *
 * After each event the promises of rooms_mirror.h hold. Besides: a rollback restores exactly what
 * was; a restart brings back exactly what was written; time done is done.
 */
#include "rooms_mirror.h"

#define GRACE_MS  30000
#define TTL_MS    100000
#define BATCH_MAX 16

static const char *const peers[] = {"p-a", "p-b", "p-c", "d-d"};
static const char *const sessions[] = {"s1", "s2", "s3-0123456789abcdefghijklmnopqrstuvwxyz"};
static const char *const names[] = {"Ada", "B\xc3\xb6rge", "\xe2\x98\x83"};
static const int64_t steps_ms[] = {1, 1000, GRACE_MS / 2, GRACE_MS, TTL_MS};

/* What the store holds. */
struct stored {
    bool exists;
    struct room room;
    int64_t empty_since;
};

struct drive {
    struct rooms *rooms;
    struct rooms_options options;
    struct telling telling;
    struct stored store[ROOM_COUNT];
    bool store_works;
    int64_t now;

    bool open; /* a transaction runs */
    struct snapshot begun;
    struct op batch[BATCH_MAX];
    unsigned batch_count;
    unsigned generated;
};

static struct drive drive;

static void generate_id(char out[static ROOM_ID_MAX + 1])
{
    strcpy(out, mirror_rooms[ROOM_COUNT - 2 + drive.generated++ % 2]);
}

/* ---- events ---- */

static void apply(const struct op *op)
{
    struct snapshot before, after;
    mirror_take(drive.rooms, &before);
    drive.telling.count = 0;
    const struct room_event event = {
        .kind = op->kind == OP_JOIN  ? ROOM_EVENT_JOIN
                : op->kind == OP_CUT ? ROOM_EVENT_CUT
                                     : ROOM_EVENT_GONE,
        .peer_id = op->peer,
        .session = op->session,
        .peer_name = op->name,
        .has_seat = op->has_seat,
        .seat_resumes = op->has_seat && op->seat_resumes,
        .seat_rev = op->has_seat ? op->seat_rev : 0,
    };
    if (op->kind == OP_TIME)
        rooms_time(drive.rooms, op->now, op->most);
    else if (op->kind == OP_CREATE)
        rooms_create(drive.rooms, op->peer, op->session, op->room_id, op->now);
    else if (op->kind == OP_TRY_CREATE)
        rooms_try_create(drive.rooms, op->peer, op->session, op->room_id);
    else
        rooms_event(drive.rooms, op->room_id, &event, op->now);
    mirror_take(drive.rooms, &after);
    mirror_check_rest(&after, &drive.options);
    mirror_check_event(op, &before, &after, &drive.telling, !drive.store_works);
    PROMISE(op->kind != OP_TIME || op->most == 1 || after.deadline > op->now);
}

static struct op read_op(struct input *in, enum op_kind kind)
{
    struct op op = {.kind = kind};
    unsigned who = input_byte(in), how = input_byte(in);
    op.peer = peers[who % COUNT_OF(peers)];
    op.room = who / COUNT_OF(peers) % ROOM_COUNT;
    op.session = sessions[how % COUNT_OF(sessions)];
    op.name = names[how / 4 % COUNT_OF(names)];
    op.room_id = mirror_rooms[op.room];
    if (kind == OP_JOIN && how & 0x80) {
        unsigned seat = input_byte(in);
        op.has_seat = true;
        op.seat_resumes = seat & 0x80;
        op.seat_rev = seat & 0x0f;
    }
    if (kind == OP_GONE && how & 0x80)
        op.session = "";
    if ((kind == OP_CREATE || kind == OP_TRY_CREATE) && how & 0x80) {
        op.room = ROOM_COUNT;
        op.room_id = "";
    }
    if (kind == OP_TIME) {
        drive.now += steps_ms[who % COUNT_OF(steps_ms)];
        op.most = how & 0x80 ? 1 : 1000;
    }
    op.now = drive.now;
    return op;
}

/* ---- transactions ---- */

static enum status store_room(void *ctx, const char *room_id, const struct room *room,
                              int64_t empty_since)
{
    (void)ctx;
    struct stored *stored = &drive.store[mirror_room_index(room_id)];
    stored->exists = room != NULL;
    if (room)
        stored->room = *room;
    stored->empty_since = empty_since;
    return STATUS_OK;
}

static void begin(void)
{
    if (drive.open)
        return;
    mirror_take(drive.rooms, &drive.begun);
    rooms_begin(drive.rooms);
    drive.open = true;
    drive.batch_count = 0;
}

static void rollback(void)
{
    struct snapshot after;
    rooms_rollback(drive.rooms);
    mirror_take(drive.rooms, &after);
    PROMISE(mirror_is_same(&drive.begun, &after));
}

/* Ends the transaction as the shell does: by what the store says. */
static void end(bool store_works)
{
    if (!drive.open)
        return;
    if (store_works) {
        PROMISE(rooms_each_dirty(drive.rooms, store_room, NULL) == STATUS_OK);
        rooms_written(drive.rooms);
        rooms_commit(drive.rooms);
        PROMISE(!rooms_are_dirty(drive.rooms));
    } else {
        rollback();
        rooms_refuse(drive.rooms, STATUS_UNAVAILABLE);
        drive.store_works = false;
        rooms_begin(drive.rooms);
        for (unsigned i = 0; i < drive.batch_count; i++)
            apply(&drive.batch[i]);
        rooms_commit(drive.rooms);
    }
    drive.open = false;
}

static void run_op(const struct op *op)
{
    begin();
    if (drive.batch_count == BATCH_MAX) {
        end(drive.store_works);
        begin();
    }
    drive.batch[drive.batch_count++] = *op;
    apply(op);
}

/* ---- crashes and restarts ---- */

static void check_all_away(const struct snapshot *snapshot)
{
    for (unsigned i = 0; i < ROOM_COUNT; i++) {
        const struct room *room = &snapshot->rooms[i];
        for (unsigned k = 0; k < room->peer_count; k++)
            PROMISE(room->peers[k].state == PEER_AWAY &&
                    room->peers[k].away_until == drive.now + GRACE_MS);
    }
    mirror_check_rest(snapshot, &drive.options);
}

static bool has_same_members(const struct room *a, const struct room *b)
{
    bool same = a->peer_count == b->peer_count && a->rev <= b->rev;
    for (unsigned i = 0; i < a->peer_count && same; i++)
        same = strcmp(a->peers[i].id, b->peers[i].id) == 0 &&
               strcmp(a->peers[i].session, b->peers[i].session) == 0 &&
               strcmp(a->peers[i].name, b->peers[i].name) == 0;
    return same;
}

/* The broker came back. */
static void crash(void)
{
    struct snapshot before, after;
    end(drive.store_works);
    mirror_take(drive.rooms, &before);
    drive.telling.count = 0;
    rooms_crash(drive.rooms, drive.now);
    mirror_take(drive.rooms, &after);
    PROMISE(drive.telling.count == 0);
    for (unsigned i = 0; i < ROOM_COUNT; i++)
        PROMISE(before.exists[i] == after.exists[i] &&
                has_same_members(&before.rooms[i], &after.rooms[i]));
    check_all_away(&after);
}

/* roomd came back: what was not written never was. */
static void restart(void)
{
    struct snapshot after;
    rooms_free(drive.rooms);
    drive.rooms = rooms_new(&drive.options);
    drive.open = false;
    drive.store_works = true;
    for (unsigned i = 0; i < ROOM_COUNT; i++) {
        const struct stored *stored = &drive.store[i];
        if (stored->exists)
            rooms_load(drive.rooms, &stored->room, stored->empty_since, drive.now);
    }
    mirror_take(drive.rooms, &after);
    for (unsigned i = 0; i < ROOM_COUNT; i++) {
        PROMISE(after.exists[i] == drive.store[i].exists && !after.dirty[i]);
        PROMISE(!after.exists[i] || has_same_members(&drive.store[i].room, &after.rooms[i]));
    }
    check_all_away(&after);
}

static void start(struct input *in)
{
    unsigned limits = input_byte(in);
    memset(&drive, 0, sizeof drive);
    drive.options = (struct rooms_options){.grace_ms = GRACE_MS,
                                           .ttl_ms = TTL_MS,
                                           .rooms_max = limits % 4,
                                           .peers_max = limits / 4 % 6,
                                           .generate_id = generate_id,
                                           .emit = mirror_emit,
                                           .ctx = &drive.telling};
    drive.rooms = rooms_new(&drive.options);
    drive.store_works = true;
    drive.now = 1000;
}

enum { DO_END = OP_KINDS, DO_FAIL, DO_ROLLBACK, DO_MEND, DO_CRASH, DO_RESTART, DO_KINDS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    start(&in);
    while (in.left > 0) {
        unsigned action = input_choice(&in, DO_KINDS);
        if (action < OP_KINDS) {
            struct op op = read_op(&in, (enum op_kind)action);
            run_op(&op);
        } else if (action == DO_END) {
            end(drive.store_works);
        } else if (action == DO_FAIL) {
            end(false);
        } else if (action == DO_ROLLBACK && drive.open) {
            rollback();
            drive.open = false;
        } else if (action == DO_MEND) {
            end(drive.store_works);
            rooms_refuse(drive.rooms, STATUS_OK);
            drive.store_works = true;
        } else if (action == DO_CRASH) {
            crash();
        } else if (action == DO_RESTART) {
            restart();
        }
    }
    rooms_free(drive.rooms);
    return 0;
}
