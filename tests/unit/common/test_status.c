/*
 * Status ids and the two clocks: what is too small for a file of its own.
 */
#include "common/clock.h"
#include "common/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_every_status_is_whole(void **state)
{
    (void)state;
    for (enum status a = 0; a < STATUS_COUNT; a++) {
        assert_in_range(status_http(a), 200, 503);
        assert_true(strlen(status_detail(a)) > 5);
        assert_int_equal(strspn(status_id(a), "abcdefghijklmnopqrstuvwxyz-"), strlen(status_id(a)));
        for (enum status b = 0; b < a; b++)
            assert_string_not_equal(status_id(a), status_id(b));
    }
    assert_string_equal(status_id(STATUS_NO_SUCH_ROOM), "no-such-room");
    assert_int_equal(status_http(STATUS_ROOM_OCCUPIED), 409);
    assert_string_equal(status_id((enum status)1000), "internal");
}

static void test_clocks(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ms(), wall = (int64_t)time(NULL);
    assert_in_range(clock_wall_s(), wall, wall + 5);
    assert_in_range(clock_monotonic_ms(), before, before + 5000);
    while (clock_monotonic_ms() == before)
        ; /* it moves, or the test's own time limit ends this */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_is_whole),
        cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
