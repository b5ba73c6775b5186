/* Rule 7 of docs/protocol.md: a room that came back by a seat, and the window in which only seat
 * holders get in. */
#include "room_steps.h"

static int start_reclaim(void **state)
{
    start(state);
    room.rev = 0;
    room.reclaim_until = now + GRACE;
    return 0;
}

static void seat_brings_its_holder_back(void **state)
{
    (void)state;
    assert_true(join_by_seat("a", "s1", 7, true));
    assert_string_equal(told(), "state; a joined s1 resumed seat 8");
    assert_int_equal(room.rev, 8);
    assert_true(join_by_seat("b", "t2", 9, false));
    assert_string_equal(told(), "state; b joined t2 seat 10; a arrived b (Name)");
}

static void others_are_told_to_wait(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 7, true);
    now += 500;
    struct room before = room;
    assert_false(join("c", "u1"));
    assert_string_equal(told(), "c error unavailable 30");
    join_by_seat("b", "t1", 8, true);
    assert_false(join("c", "u1"));
    assert_string_equal(told(), "c error unavailable 30");
    assert_int_equal(before.reclaim_until, room.reclaim_until);
}

static void member_needs_no_seat(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 7, true);
    assert_false(join("a", "s1"));
    assert_string_equal(told(), "a joined s1 resumed seat 8");
    assert_true(join("a", "s2"));
    assert_string_equal(told(), "state; a joined s2 seat 9");
}

static void newer_seat_displaces_the_oldest(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 9, true);
    join_by_seat("old", "o1", 3, true);
    assert_true(join_by_seat("b", "t1", 10, true));
    assert_string_equal(
        told(),
        "state; b joined t1 resumed seat 12; a arrived b (Name) resumed; old cut old kicked");
    assert_string_equal(members(), "a/s1 b/t1");
}

static void older_seat_finds_the_room_full(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 9, true);
    join_by_seat("b", "t1", 10, true);
    assert_false(join_by_seat("old", "o1", 3, true));
    assert_string_equal(told(), "old full o1");
    assert_false(
        join_by_seat("same", "o1", 9, true)); /* a member of the same time is no newer one */
    assert_string_equal(told(), "same full o1");
}

static void window_ends(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 7, true);
    int64_t end = room.reclaim_until;
    assert_int_equal(room_deadline(&room), end);
    assert_false(time_is(end - 1));
    assert_int_equal(room.reclaim_until, end);
    assert_false(time_is(end));
    assert_string_equal(told(), "");
    assert_int_equal(room.reclaim_until, 0);
    assert_true(join("c", "u1"));
}

static void window_is_over_even_if_nobody_said_so(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 7, true);
    now = room.reclaim_until;
    assert_true(join("c", "u1"));
}

static void empty_room_keeps_its_window(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 7, true);
    assert_true(cut("a", "s1"));
    assert_false(join("c", "u1"));
    assert_string_equal(told(), "c error unavailable 30");
    assert_true(join_by_seat("b", "t1", 8, true));
    now = 1500;
    gone("b", "t1");
    room.reclaim_until += 60000;
    assert_true(time_is(1500 + GRACE));
    assert_int_equal(room.peer_count, 0);
    assert_false(join("c", "u1"));
}

static void crash_opens_the_window_anew(void **state)
{
    (void)state;
    join_by_seat("a", "s1", 7, true);
    now += 20000;
    crash();
    assert_int_equal(room.reclaim_until, now + GRACE);
}

static void nobody_gets_in_while_nothing_can_be_kept(void **state)
{
    (void)state;
    assert_false(step((struct room_event){.kind = ROOM_EVENT_JOIN,
                                          .peer_id = "a",
                                          .session = "s1",
                                          .peer_name = "Name",
                                          .has_seat = true,
                                          .seat_rev = 7,
                                          .refusal = STATUS_UNAVAILABLE}));
    assert_string_equal(told(), "a error unavailable 2");
    assert_int_equal(room.peer_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(seat_brings_its_holder_back, start_reclaim),
        cmocka_unit_test_setup(others_are_told_to_wait, start_reclaim),
        cmocka_unit_test_setup(member_needs_no_seat, start_reclaim),
        cmocka_unit_test_setup(newer_seat_displaces_the_oldest, start_reclaim),
        cmocka_unit_test_setup(older_seat_finds_the_room_full, start_reclaim),
        cmocka_unit_test_setup(window_ends, start_reclaim),
        cmocka_unit_test_setup(window_is_over_even_if_nobody_said_so, start_reclaim),
        cmocka_unit_test_setup(empty_room_keeps_its_window, start_reclaim),
        cmocka_unit_test_setup(crash_opens_the_window_anew, start_reclaim),
        cmocka_unit_test_setup(nobody_gets_in_while_nothing_can_be_kept, start_reclaim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
