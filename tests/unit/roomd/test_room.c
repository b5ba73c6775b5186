/* The rules of one room, one by one; the numbers are those of docs/protocol.md. */
#include "room_steps.h"

static void first_and_second_join(void **state)
{
    (void)state;
    assert_true(join("a", "s1"));
    assert_string_equal(told(), "state; a joined s1 seat 2");
    assert_true(join("b", "t1"));
    assert_string_equal(told(), "state; b joined t1 seat 3; a arrived b (Name)");
    assert_string_equal(members(), "a/s1 b/t1");
    assert_int_equal(room.rev, 3);
}

static void third_hears_full_room(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    struct room before = room;
    assert_false(join("c", "u1"));
    assert_string_equal(told(), "c full u1");
    assert_memory_equal(&before, &room, sizeof(room));
}

static void away_member_keeps_its_seat(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    assert_false(join("c", "u1"));
    assert_string_equal(told(), "c full u1");
    assert_string_equal(members(), "a/s1(away) b/t1");
}

static void duplicate_join_is_answered_and_changes_nothing(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    struct room before = room;
    assert_false(join("a", "s1"));
    assert_string_equal(told(), "a joined s1 resumed seat 3");
    assert_memory_equal(&before, &room, sizeof(room));
}

static void back_in_time(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    now += GRACE - 1;
    assert_true(join("a", "s1"));
    assert_string_equal(told(), "state; a joined s1 resumed seat 5; b arrived a (Name) resumed");
    assert_string_equal(members(), "a/s1 b/t1");
    assert_int_equal(room_deadline(&room), INT64_MAX);
}

static void reload_takes_the_seat_over(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    assert_true(join("a", "s2"));
    assert_string_equal(told(), "state; a joined s2 seat 4; b arrived a (Name)");
    assert_string_equal(members(), "a/s2 b/t1");
}

static void reload_of_an_away_member_is_no_return(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    assert_true(join("a", "s2"));
    assert_string_equal(told(), "state; a joined s2 seat 5; b arrived a (Name)");
    assert_string_equal(members(), "a/s2 b/t1");
}

static void repeated_joins_of_two_pages_end_with_the_new_one(void **state)
{
    (void)state;
    join("a", "s1");
    join("a", "s2");
    join("a", "s1"); /* both come again, in their order */
    assert_string_equal(told(), "state; a joined s1 seat 4");
    join("a", "s2");
    assert_string_equal(told(), "state; a joined s2 seat 5");
    assert_string_equal(members(), "a/s2");
}

static void cut_frees_at_once(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    assert_true(cut("a", "s1"));
    assert_string_equal(told(), "state; b cut a hung-up");
    assert_true(join("c", "u1"));
    assert_string_equal(members(), "b/t1 c/u1");
}

static void cut_by_the_last_one_is_told_to_nobody(void **state)
{
    (void)state;
    join("a", "s1");
    assert_true(cut("a", "s1"));
    assert_string_equal(told(), "state");
    assert_int_equal(room.peer_count, 0);
}

static void cut_of_others_is_ignored(void **state)
{
    (void)state;
    join("a", "s1");
    join("a", "s2");
    struct room before = room;
    assert_false(cut("c", "u1"));
    assert_string_equal(told(), "");
    assert_false(cut("a", "s1"));
    assert_string_equal(told(), "");
    assert_memory_equal(&before, &room, sizeof(room));
}

static void gone_makes_away(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    assert_true(gone("b", "t1"));
    assert_string_equal(told(), "state; a away b");
    assert_string_equal(members(), "a/s1 b/t1(away)");
    assert_int_equal(room_deadline(&room), now + GRACE);
}

static void gone_of_an_old_session_is_ignored(void **state)
{
    (void)state;
    join("a", "s1");
    join("a", "s2");
    assert_false(gone("a", "s1"));
    assert_string_equal(told(), "");
    assert_false(gone("c", ""));
    assert_string_equal(members(), "a/s2");
}

static void gone_without_a_session_applies(void **state)
{
    (void)state;
    join("a", "s1");
    assert_true(gone("a", ""));
    assert_string_equal(members(), "a/s1(away)");
}

static void second_gone_does_not_lengthen_the_grace(void **state)
{
    (void)state;
    join("a", "s1");
    gone("a", "s1");
    int64_t deadline = room_deadline(&room);
    now += 10;
    assert_false(gone("a", ""));
    assert_int_equal(room_deadline(&room), deadline);
}

static void too_late_is_out(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    int64_t deadline = room_deadline(&room);
    assert_false(time_is(deadline - 1));
    assert_true(time_is(deadline));
    assert_string_equal(told(), "state; b cut a lost");
    assert_string_equal(members(), "b/t1");
    assert_true(join("c", "u1"));
}

static void both_too_late_in_one_change(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    gone("b", "t1");
    uint64_t rev = room.rev;
    assert_true(time_is(now + GRACE));
    assert_string_equal(told(), "state");
    assert_int_equal(room.rev, rev + 1);
    assert_int_equal(room.peer_count, 0);
}

static void deadline_is_the_earlier_one(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    int64_t first = room_deadline(&room);
    now += 5;
    gone("b", "t1");
    assert_int_equal(room_deadline(&room), first);
    join("a", "s1");
    assert_int_equal(room_deadline(&room), first + 5);
}

static void crash_gives_everybody_a_full_grace(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    gone("a", "s1");
    now += 100;
    assert_true(crash());
    assert_string_equal(told(), "state");
    assert_string_equal(members(), "a/s1(away) b/t1(away)");
    assert_int_equal(room_deadline(&room), now + GRACE);
    now += 100;
    assert_false(crash()); /* nothing that anybody sees */
    assert_int_equal(room_deadline(&room), now + GRACE);
    assert_true(join("a", "s1"));
    assert_string_equal(told(), "state; a joined s1 resumed seat 6; b arrived a (Name) resumed");
}

static bool join_refused(const char *peer, const char *session, enum status refusal)
{
    return step((struct room_event){.kind = ROOM_EVENT_JOIN,
                                    .peer_id = peer,
                                    .session = session,
                                    .peer_name = "Name",
                                    .refusal = refusal});
}

static void refusal_is_for_new_members_only(void **state)
{
    (void)state;
    join("a", "s1");
    assert_false(join_refused("b", "t1", STATUS_UNAVAILABLE));
    assert_string_equal(told(), "b error unavailable 2");
    assert_false(join_refused("b", "t1", STATUS_QUOTA));
    assert_string_equal(told(), "b error quota 0");
    assert_false(join_refused("a", "s1", STATUS_UNAVAILABLE));
    assert_string_equal(told(), "a joined s1 resumed seat 2");
    assert_true(join_refused("a", "s2", STATUS_UNAVAILABLE));
    gone("a", "s2");
    assert_true(join_refused("a", "s2", STATUS_UNAVAILABLE));
    assert_string_equal(members(), "a/s2");
}

static void seat_lets_nobody_in_to_an_ordinary_room(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    assert_false(join_by_seat("c", "u1", 99, true));
    assert_string_equal(told(), "c full u1");
    cut("b", "t1");
    assert_true(join_by_seat("c", "u1", 99, true));
    assert_string_equal(told(), "state; c joined u1 seat 100; a arrived c (Name)");
}

/* Rule 7: rev goes on above every seat that was shown, by whom and when ever. */
static void rev_goes_above_a_members_seat(void **state)
{
    (void)state;
    join("a", "s1");
    join("b", "t1");
    assert_true(join_by_seat("a", "s1", 50, true));
    assert_string_equal(told(), "state; a joined s1 resumed seat 51");
    assert_false(join_by_seat("a", "s1", 51, true));
    assert_string_equal(told(), "a joined s1 resumed seat 51");
    assert_true(join_by_seat("b", "t2", 70, false));
    assert_string_equal(told(), "state; b joined t2 seat 71; a arrived b (Name)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_and_second_join, start),
        cmocka_unit_test_setup(third_hears_full_room, start),
        cmocka_unit_test_setup(away_member_keeps_its_seat, start),
        cmocka_unit_test_setup(duplicate_join_is_answered_and_changes_nothing, start),
        cmocka_unit_test_setup(back_in_time, start),
        cmocka_unit_test_setup(reload_takes_the_seat_over, start),
        cmocka_unit_test_setup(reload_of_an_away_member_is_no_return, start),
        cmocka_unit_test_setup(repeated_joins_of_two_pages_end_with_the_new_one, start),
        cmocka_unit_test_setup(cut_frees_at_once, start),
        cmocka_unit_test_setup(cut_by_the_last_one_is_told_to_nobody, start),
        cmocka_unit_test_setup(cut_of_others_is_ignored, start),
        cmocka_unit_test_setup(gone_makes_away, start),
        cmocka_unit_test_setup(gone_of_an_old_session_is_ignored, start),
        cmocka_unit_test_setup(gone_without_a_session_applies, start),
        cmocka_unit_test_setup(second_gone_does_not_lengthen_the_grace, start),
        cmocka_unit_test_setup(too_late_is_out, start),
        cmocka_unit_test_setup(both_too_late_in_one_change, start),
        cmocka_unit_test_setup(deadline_is_the_earlier_one, start),
        cmocka_unit_test_setup(crash_gives_everybody_a_full_grace, start),
        cmocka_unit_test_setup(refusal_is_for_new_members_only, start),
        cmocka_unit_test_setup(seat_lets_nobody_in_to_an_ordinary_room, start),
        cmocka_unit_test_setup(rev_goes_above_a_members_seat, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
