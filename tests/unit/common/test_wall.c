/* The wall clock over jumps: what was issued lives as long as was meant. */
#include "common/wall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOUR 3600
#define DAY  (24 * HOUR)
#define TTL  HOUR

static struct wall wall;
static int64_t wall_s, monotonic_ms; /* the clocks */

static int start(void **state)
{
    (void)state;
    memset(&wall, 0, sizeof wall);
    wall_s = 1800000000;
    monotonic_ms = 12345;
    wall_read(&wall, wall_s, monotonic_ms);
    return 0;
}

static void pass(int64_t seconds)
{
    wall_s += seconds;
    monotonic_ms += seconds * 1000;
    wall_read(&wall, wall_s, monotonic_ms);
}

static void set(int64_t by_s)
{
    wall_s += by_s;
    wall_read(&wall, wall_s, monotonic_ms);
}

/* How long something issued at `issued_at` for TTL still lives. */
static int64_t left(int64_t issued_at)
{
    return issued_at + TTL - wall_since(&wall, issued_at);
}

static void without_a_jump_it_is_the_wall_clock(void **state)
{
    (void)state;
    int64_t issued_at = wall_s;
    for (int i = 0; i < 1000; i++) {
        monotonic_ms += 99; /* read often: what is cut off by counting in seconds does not add up */
        wall_read(&wall, 1800000000 + (monotonic_ms - 12345) / 1000, monotonic_ms);
    }
    assert_int_equal(wall_since(&wall, issued_at), 1800000099);
    assert_int_equal(wall.noted, 0);
}

static void set_forward_it_ends_nothing_early(void **state)
{
    static const int64_t jumps[] = {HOUR, DAY, 50 * 365 * (int64_t)DAY};
    for (int i = 0; i < 3; i++) {
        start(state);
        int64_t before = wall_s;
        pass(600);
        set(jumps[i]);
        assert_int_equal(left(before), TTL - 600);
        int64_t after = wall_s;
        pass(600);
        assert_int_equal(left(before), TTL - 1200);
        assert_int_equal(left(after), TTL - 600);
        pass(TTL - 1200);
        assert_int_equal(left(before), 0); /* and not late */
        assert_int_equal(left(after), 600);
    }
}

static void jumps_add_up(void **state)
{
    (void)state;
    int64_t first = wall_s;
    pass(100);
    set(HOUR);
    int64_t second = wall_s;
    pass(100);
    set(DAY);
    pass(100);
    assert_int_equal(left(first), TTL - 300);
    assert_int_equal(left(second), TTL - 200);
}

static void set_back_it_ends_nothing_early(void **state)
{
    (void)state;
    int64_t before = wall_s;
    pass(100);
    set(-DAY);
    int64_t after = wall_s;
    pass(100);
    assert_int_equal(left(before), TTL - 200 + DAY);
    assert_int_equal(left(after), TTL - 100);
    set(DAY);
    pass(100);
    assert_int_equal(left(before), TTL - 300);
    assert_int_equal(left(after), TTL - 200);
}

static void forward_and_back_is_as_if_nothing_had_been(void **state)
{
    (void)state;
    int64_t before = wall_s;
    pass(100);
    set(HOUR);
    pass(100);
    set(-HOUR);
    pass(100);
    assert_int_equal(left(before), TTL - 300);
    int64_t after = wall_s;
    pass(100);
    assert_int_equal(left(after), TTL - 100);
}

static void what_was_issued_between_is_told_by_when_it_was(void **state)
{
    (void)state;
    int64_t before = wall_s;
    pass(100);
    set(-DAY);
    pass(100);
    set(DAY + HOUR); /* an hour ahead of where it began */
    pass(100);
    assert_int_equal(left(before), TTL - 300);
}

static void of_many_jumps_the_last_are_known(void **state)
{
    (void)state;
    int64_t issued_at[WALL_JUMPS + 2];
    for (int i = 0; i < WALL_JUMPS + 2; i++) {
        issued_at[i] = wall_s;
        pass(10);
        set(HOUR);
    }
    for (int i = 2; i < WALL_JUMPS + 2; i++)
        assert_int_equal(left(issued_at[i]), TTL - 10 * (WALL_JUMPS + 2 - i));
    assert_true(left(issued_at[0]) <= 0);
}

static void drift_is_no_jump(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        pass(100);
        set(1);
    }
    assert_int_equal(wall.noted, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(without_a_jump_it_is_the_wall_clock),
        TEST(set_forward_it_ends_nothing_early),
        TEST(jumps_add_up),
        TEST(set_back_it_ends_nothing_early),
        TEST(forward_and_back_is_as_if_nothing_had_been),
        TEST(what_was_issued_between_is_told_by_when_it_was),
        TEST(of_many_jumps_the_last_are_known),
        TEST(drift_is_no_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
