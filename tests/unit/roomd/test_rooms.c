/* All rooms: creation, limits, ends, and transactions that are undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "roomd/rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE 30000
#define TTL   86400000
#define ALL   1000

static struct rooms *rooms;
static char told[4096]; /* what was emitted since say_nothing() */
static unsigned generated;
static unsigned ids_taken;  /* this many generated ids are the same */
static const char *foreign; /* ids with this in them belong elsewhere */

static void generate(char out[static ROOM_ID_MAX + 1])
{
    snprintf(out, ROOM_ID_MAX + 1, "gen-%u", generated < ids_taken ? 0 : generated);
    generated++;
}

static bool owns(const void *owner, const char *room_id)
{
    assert_ptr_equal(owner, &foreign);
    return foreign == NULL || strstr(room_id, foreign) == NULL;
}

static void emit(void *ctx, const struct rooms_effect *effect)
{
    char *out = told + strlen(told);
    size_t size = sizeof(told) - strlen(told);
    (void)ctx;
    switch (effect->kind) {
    case ROOMS_CREATED:
        snprintf(out, size, "%s %s %s %s; ", effect->peer_id, effect->request,
                 effect->created ? "created" : "found", effect->room_id);
        break;
    case ROOMS_REFUSED:
        snprintf(out, size, "%s %s refused %s; ", effect->peer_id, effect->request,
                 status_id(effect->error));
        break;
    case ROOMS_CLOSED:
        snprintf(out, size, "closed %s; ", effect->room_id);
        break;
    case ROOMS_STEP:
        if (effect->step->kind == EFFECT_STATE) {
            snprintf(out, size, "%s rev %u; ", effect->room_id, (unsigned)effect->room->rev);
        } else if (effect->step->kind == EFFECT_ERROR) {
            assert_int_equal(effect->step->retry_s != 0, effect->step->error == STATUS_UNAVAILABLE);
            snprintf(out, size, "%s error %s; ", effect->step->peer,
                     status_id(effect->step->error));
        } else {
            snprintf(out, size, "%s hears %u; ", effect->step->peer, (unsigned)effect->step->kind);
        }
        break;
    }
}

static const char *say_nothing(void)
{
    static char before[sizeof(told)];
    memcpy(before, told, sizeof(told));
    told[0] = '\0';
    return before;
}

#define assert_told(expected) assert_string_equal(say_nothing(), expected)

static struct rooms *make(unsigned rooms_max, unsigned peers_max)
{
    const struct rooms_options options = {.grace_ms = GRACE,
                                          .ttl_ms = TTL,
                                          .rooms_max = rooms_max,
                                          .peers_max = peers_max,
                                          .generate_id = generate,
                                          .owns = owns,
                                          .owner = &foreign,
                                          .emit = emit};
    return rooms_new(&options);
}

static int start(void **state)
{
    (void)state;
    generated = ids_taken = 0;
    foreign = NULL;
    say_nothing();
    rooms = make(0, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rooms_free(rooms);
    return 0;
}

static void limit(unsigned rooms_max, unsigned peers_max)
{
    rooms_free(rooms);
    rooms = make(rooms_max, peers_max);
}

/* One event that is a transaction of its own, written at once. */
static void keep(void)
{
    rooms_written(rooms);
    rooms_commit(rooms);
}

static void create(const char *id, int64_t now)
{
    rooms_begin(rooms);
    rooms_create(rooms, "s-httpd", "q", id, now);
    keep();
}

static void event(enum room_event_kind kind, const char *room, const char *peer,
                  const char *session, int64_t now)
{
    const struct room_event what = {
        .kind = kind, .peer_id = peer, .session = session, .peer_name = "Name"};
    rooms_event(rooms, room, &what, now);
}

static void join(const char *room, const char *peer, int64_t now)
{
    rooms_begin(rooms);
    event(ROOM_EVENT_JOIN, room, peer, "s1", now);
    keep();
}

static void join_by_seat(const char *room, const char *peer, uint64_t rev, int64_t now)
{
    const struct room_event what = {.kind = ROOM_EVENT_JOIN,
                                    .peer_id = peer,
                                    .session = "s1",
                                    .peer_name = "Name",
                                    .has_seat = true,
                                    .seat_rev = rev};
    rooms_begin(rooms);
    rooms_event(rooms, room, &what, now);
    keep();
}

static void time_passes(int64_t now)
{
    rooms_begin(rooms);
    rooms_time(rooms, now, ALL);
    keep();
}

static struct room get(const char *id)
{
    struct room room;
    assert_true(rooms_get(rooms, id, &room));
    return room;
}

/* ---- rule 1 ---- */

static void create_new(void **state)
{
    (void)state;
    create("r1", 0);
    assert_told("r1 rev 1; s-httpd q created r1; ");
    create("", 0);
    assert_told("gen-0 rev 1; s-httpd q created gen-0; ");
    assert_int_equal(rooms_count(rooms).rooms, 2);
}

static void try_create(const char *id)
{
    rooms_begin(rooms);
    rooms_try_create(rooms, "s-httpd", "q", id);
    keep();
}

static void trying_answers_and_makes_nothing(void **state)
{
    (void)state;
    limit(1, 0);
    try_create("");
    assert_told("s-httpd q found gen-0; ");
    assert_int_equal(rooms_count(rooms).rooms, 0);
    create("r1", 0);
    say_nothing();
    int64_t deadline = rooms_deadline(rooms);
    try_create("r1");
    assert_told("s-httpd q found r1; ");
    try_create("r2");
    assert_told("s-httpd q refused quota; ");
    assert_int_equal(rooms_deadline(rooms), deadline);
    join("r1", "p-a", 0);
    say_nothing();
    try_create("r1");
    assert_told("s-httpd q refused room-occupied; ");
}

static void create_finds_an_empty_room(void **state)
{
    (void)state;
    create("r1", 0);
    say_nothing();
    create("r1", 1000);
    assert_told("s-httpd q found r1; ");
    assert_int_equal(rooms_deadline(rooms), 1000 + TTL); /* a whole time to live again */
}

static void create_refuses_an_occupied_room(void **state)
{
    (void)state;
    create("r1", 0);
    join("r1", "p-a", 0);
    say_nothing();
    create("r1", 0);
    assert_told("s-httpd q refused room-occupied; ");
}

static void generated_ids_are_tried_again(void **state)
{
    (void)state;
    ids_taken = 3;
    create("", 0);
    create("", 0);
    say_nothing();
    assert_int_equal(rooms_count(rooms).rooms, 2);
    generated = 0;
    ids_taken = 99; /* randomness that repeats itself is no reason to hand out a room twice */
    create("", 0);
    assert_told("s-httpd q refused unavailable; ");
}

static void generated_ids_are_our_own(void **state)
{
    (void)state;
    foreign = "gen-1";
    generated = 10; /* ten in a row that are not */
    create("", 0);
    assert_told("gen-20 rev 1; s-httpd q created gen-20; ");
    generated = 11;
    try_create("");
    assert_told("s-httpd q found gen-21; ");
}

static void wanted_ids_have_to_be_our_own(void **state)
{
    const struct room old = {.id = "r-2", .rev = 1};
    (void)state;
    foreign = "r-";
    create("r-1", 0);
    try_create("r-1");
    assert_told("s-httpd q refused bad-room-id; s-httpd q refused bad-room-id; ");
    assert_int_equal(rooms_count(rooms).rooms, 0);
    create("r1", 0);
    assert_told("r1 rev 1; s-httpd q created r1; ");

    /* One from a time when it was ours is here, and stays. */
    rooms_load(rooms, &old, 0, 0);
    create("r-2", 0);
    join("r-2", "p-a", 0);
    assert_string_equal(strstr(told, "s-httpd"), "s-httpd q found r-2; r-2 rev 2; p-a hears 1; ");
    say_nothing();
}

/* ---- rooms that are not there ---- */

static void no_such_room(void **state)
{
    (void)state;
    join("r1", "p-a", 0);
    assert_told("p-a error no-such-room; ");
    rooms_begin(rooms);
    event(ROOM_EVENT_CUT, "r1", "p-a", "s1", 0);
    event(ROOM_EVENT_GONE, "r1", "p-a", "s1", 0);
    keep();
    assert_told("");
    assert_false(rooms_get(rooms, "r1", NULL));
}

static void seat_brings_a_room_back(void **state)
{
    (void)state;
    join_by_seat("r1", "p-a", 7, 0);
    assert_told("r1 rev 8; p-a hears 1; ");
    join("r1", "p-c", 0);
    assert_told("p-c error unavailable; ");
    time_passes(GRACE);
    join("r1", "p-c", GRACE);
    assert_told("r1 rev 9; p-c hears 1; p-a hears 3; ");
}

static void end_of_the_window_is_written(void **state)
{
    (void)state;
    join_by_seat("r1", "p-a", 7, 0);
    assert_int_equal(rooms_deadline(rooms), GRACE);
    rooms_begin(rooms);
    rooms_time(rooms, GRACE, ALL);
    assert_true(rooms_are_dirty(rooms));
    keep();
    assert_int_equal(rooms_deadline(rooms), INT64_MAX);
    assert_int_equal(get("r1").reclaim_until, 0);
}

/* ---- limits ---- */

static void rooms_max_is_a_quota(void **state)
{
    (void)state;
    limit(2, 0);
    create("r1", 0);
    create("r2", 0);
    say_nothing();
    create("r3", 0);
    assert_told("s-httpd q refused quota; ");
    join_by_seat("r4", "p-a", 7, 0);
    assert_told("p-a error quota; ");
    create("r2", 0);
    assert_told("s-httpd q found r2; ");
    time_passes(TTL);
    create("r3", TTL);
    assert_told("closed r1; closed r2; r3 rev 1; s-httpd q created r3; ");
}

static void peers_max_is_a_quota_for_new_members(void **state)
{
    (void)state;
    limit(0, 2);
    create("r1", 0);
    create("r2", 0);
    join("r1", "p-a", 0);
    join("r1", "p-b", 0);
    say_nothing();
    join("r2", "p-c", 0);
    assert_told("p-c error quota; ");
    join("r1", "p-a", 0);
    assert_told("p-a hears 1; ");
}

static void refusal_is_for_what_is_new(void **state)
{
    (void)state;
    create("r1", 0);
    join("r1", "p-a", 0);
    say_nothing();
    rooms_refuse(rooms, STATUS_UNAVAILABLE);
    create("r2", 0);
    assert_told("s-httpd q refused unavailable; ");
    join("r1", "p-b", 0);
    assert_told("p-b error unavailable; ");
    join_by_seat("r3", "p-b", 7, 0);
    assert_told("p-b error unavailable; ");
    join("r1", "p-a", 0);
    assert_told("p-a hears 1; ");
    rooms_refuse(rooms, STATUS_OK);
    create("r2", 0);
    assert_told("r2 rev 1; s-httpd q created r2; ");
}

/* ---- time ---- */

static void empty_room_ends(void **state)
{
    (void)state;
    create("r1", 0);
    create("r2", 10);
    join("r2", "p-a", 20);
    say_nothing();
    time_passes(TTL - 1);
    assert_told("");
    time_passes(TTL + 20);
    assert_told("closed r1; ");
    rooms_begin(rooms);
    event(ROOM_EVENT_CUT, "r2", "p-a", "s1", TTL + 30);
    keep();
    say_nothing();
    assert_int_equal(rooms_deadline(rooms), TTL + 30 + TTL);
    time_passes(TTL + 30 + TTL);
    assert_told("closed r2; ");
    assert_int_equal(rooms_count(rooms).rooms, 0);
}

static void away_members_end_in_order(void **state)
{
    (void)state;
    const char *ids[] = {"r1", "r2", "r3"};
    for (int i = 0; i < 3; i++) {
        create(ids[i], 0);
        join(ids[i], "p-a", 0);
        join(ids[i], "p-b", 0);
    }
    for (int i = 0; i < 3; i++) { /* a in the order of the rooms, b against it */
        rooms_begin(rooms);
        event(ROOM_EVENT_GONE, ids[i], "p-a", "", 100 + i);
        keep();
    }
    for (int i = 2; i >= 0; i--) {
        rooms_begin(rooms);
        event(ROOM_EVENT_GONE, ids[i], "p-b", "", 202 - i);
        keep();
    }
    join("r1", "p-a", 300); /* back: only r1's b runs out, as the last of all */
    say_nothing();
    assert_int_equal(rooms_deadline(rooms), 101 + GRACE);
    time_passes(101 + GRACE);
    assert_told("r2 rev 6; p-b hears 5; ");
    assert_int_equal(rooms_deadline(rooms), 102 + GRACE);
    time_passes(102 + GRACE);
    assert_told("r3 rev 6; p-b hears 5; ");
    time_passes(200 + GRACE);
    assert_told("r3 rev 7; ");
    time_passes(202 + GRACE);
    assert_told("r2 rev 7; r1 rev 7; p-a hears 5; ");
    assert_int_equal(rooms_count(rooms).peers, 1);
    assert_int_equal(rooms_count(rooms).present, 1);
}

static void a_mass_of_deadlines_is_cut_up(void **state)
{
    (void)state;
    char id[16];
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        create(id, 0);
    }
    rooms_begin(rooms);
    rooms_time(rooms, TTL, 4);
    keep();
    assert_int_equal(rooms_count(rooms).rooms, 6);
    assert_int_equal(rooms_deadline(rooms), TTL);
}

/* ---- restarts ---- */

static void loaded_members_are_away(void **state)
{
    (void)state;
    struct room room = {.id = "r1", .rev = 5, .peer_count = 1};
    strcpy(room.peers[0].id, "p-a");
    strcpy(room.peers[0].session, "s1");
    rooms_load(rooms, &room, 0, 1000);
    room = (struct room){.id = "r2", .rev = 2};
    rooms_load(rooms, &room, 1000 - TTL / 2, 1000);
    assert_false(rooms_are_dirty(rooms));
    assert_int_equal(get("r1").peers[0].state, PEER_AWAY);
    assert_int_equal(get("r1").rev, 6);
    assert_int_equal(rooms_deadline(rooms), 1000 + GRACE);
    assert_int_equal(rooms_count(rooms).present, 0);
    say_nothing();
    time_passes(1000 + TTL / 2);
    assert_told("r1 rev 7; closed r2; ");
}

static void crash_makes_all_away(void **state)
{
    (void)state;
    create("r1", 0);
    create("r2", 0);
    join("r1", "p-a", 0);
    join("r2", "p-b", 0);
    say_nothing();
    rooms_crash(rooms, 5000);
    assert_told("");
    assert_false(rooms_are_dirty(rooms));
    assert_int_equal(rooms_count(rooms).present, 0);
    assert_int_equal(rooms_deadline(rooms), 5000 + GRACE);
    join("r1", "p-a", 6000);
    assert_int_equal(rooms_count(rooms).present, 1);
}

/* ---- transactions ---- */

static char dirty[256];

static enum status note_dirty(void *ctx, const char *room_id, const struct room *room,
                              int64_t empty_since)
{
    (void)ctx;
    (void)empty_since;
    snprintf(dirty + strlen(dirty), sizeof(dirty) - strlen(dirty), "%s%s ", room_id,
             room == NULL ? "-" : "");
    return STATUS_OK;
}

static const char *dirty_rooms(void)
{
    dirty[0] = '\0';
    assert_int_equal(rooms_each_dirty(rooms, note_dirty, NULL), STATUS_OK);
    return dirty;
}

static void rollback_undoes_everything(void **state)
{
    (void)state;
    create("r1", 0);
    create("r2", 0);
    create("r3", 10);
    join("r2", "p-a", 0);
    join("r2", "p-b", 0);
    rooms_begin(rooms);
    event(ROOM_EVENT_GONE, "r2", "p-a", "", 40);
    keep();
    struct room before = get("r2");
    struct rooms_counts counts = rooms_count(rooms);
    int64_t deadline = rooms_deadline(rooms);

    rooms_begin(rooms);
    rooms_create(rooms, "s-httpd", "q", "r4", 50);
    event(ROOM_EVENT_JOIN, "r4", "p-c", "s1", 50);
    event(ROOM_EVENT_JOIN, "r1", "p-d", "s1", 50);
    event(ROOM_EVENT_CUT, "r2", "p-b", "s1", 50);
    event(ROOM_EVENT_JOIN, "r2", "p-a", "s1", 50);
    rooms_time(rooms, 10 + TTL, ALL); /* r3 ends */
    assert_string_equal(dirty_rooms(), "r4 r1 r2 r3- ");
    rooms_rollback(rooms);

    struct room after = get("r2");
    struct rooms_counts counts_after = rooms_count(rooms);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_memory_equal(&counts, &counts_after, sizeof(counts));
    assert_int_equal(rooms_deadline(rooms), deadline);
    assert_false(rooms_are_dirty(rooms));
    assert_false(rooms_get(rooms, "r4", NULL));
    assert_int_equal(get("r1").peer_count, 0);
    say_nothing();
    time_passes(TTL); /* the deadlines are back in their order, too */
    assert_told("r2 rev 5; p-b hears 5; closed r1; ");
    time_passes(TTL + 10);
    assert_told("closed r3; ");
}

static void dirty_stays_until_written(void **state)
{
    (void)state;
    create("r1", 0);
    join("r1", "p-a", 0);
    rooms_refuse(rooms, STATUS_UNAVAILABLE);
    rooms_begin(rooms);
    event(ROOM_EVENT_CUT, "r1", "p-a", "s1", 10);
    rooms_commit(rooms);
    assert_string_equal(dirty_rooms(), "r1 ");
    rooms_begin(rooms);
    rooms_time(rooms, 10 + TTL, ALL);
    rooms_commit(rooms);
    assert_string_equal(dirty_rooms(), "r1- ");
    assert_false(rooms_get(rooms, "r1", NULL));
    rooms_written(rooms);
    assert_string_equal(dirty_rooms(), "");
}

static void rollback_keeps_what_was_dirty_before(void **state)
{
    (void)state;
    create("r1", 0);
    join("r1", "p-a", 0);
    rooms_begin(rooms);
    event(ROOM_EVENT_GONE, "r1", "p-a", "", 10);
    rooms_commit(rooms);
    rooms_begin(rooms);
    event(ROOM_EVENT_CUT, "r1", "p-a", "s1", 20);
    rooms_rollback(rooms);
    assert_string_equal(dirty_rooms(), "r1 ");
    assert_int_equal(get("r1").peer_count, 1);
    assert_int_equal(rooms_deadline(rooms), 10 + GRACE);
}

static void closed_and_made_again_in_one_transaction(void **state)
{
    (void)state;
    create("r1", 0);
    say_nothing();
    rooms_begin(rooms);
    rooms_time(rooms, TTL, ALL);
    rooms_create(rooms, "s-httpd", "q", "r1", TTL);
    assert_string_equal(dirty_rooms(), "r1 ");
    keep();
    assert_told("closed r1; r1 rev 1; s-httpd q created r1; ");
    assert_int_equal(rooms_deadline(rooms), 2LL * TTL);
}

static enum status fail_at_once(void *ctx, const char *room_id, const struct room *room,
                                int64_t empty_since)
{
    (void)room_id;
    (void)room;
    (void)empty_since;
    ++*(int *)ctx;
    return STATUS_UNAVAILABLE;
}

static void a_failed_write_ends_the_walk(void **state)
{
    (void)state;
    int calls = 0;
    rooms_begin(rooms);
    rooms_create(rooms, "s-httpd", "q", "r1", 0);
    rooms_create(rooms, "s-httpd", "q", "r2", 0);
    assert_int_equal(rooms_each_dirty(rooms, fail_at_once, &calls), STATUS_UNAVAILABLE);
    assert_int_equal(calls, 1);
    rooms_rollback(rooms);
    assert_int_equal(rooms_count(rooms).rooms, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(create_new),
        TEST(trying_answers_and_makes_nothing),
        TEST(create_finds_an_empty_room),
        TEST(create_refuses_an_occupied_room),
        TEST(generated_ids_are_tried_again),
        TEST(generated_ids_are_our_own),
        TEST(wanted_ids_have_to_be_our_own),
        TEST(no_such_room),
        TEST(seat_brings_a_room_back),
        TEST(end_of_the_window_is_written),
        TEST(rooms_max_is_a_quota),
        TEST(peers_max_is_a_quota_for_new_members),
        TEST(refusal_is_for_what_is_new),
        TEST(empty_room_ends),
        TEST(away_members_end_in_order),
        TEST(a_mass_of_deadlines_is_cut_up),
        TEST(loaded_members_are_away),
        TEST(crash_makes_all_away),
        TEST(rollback_undoes_everything),
        TEST(dirty_stays_until_written),
        TEST(rollback_keeps_what_was_dirty_before),
        TEST(closed_and_made_again_in_one_transaction),
        TEST(a_failed_write_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
