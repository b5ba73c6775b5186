/* Token buckets, and a bucket for each address. */
#include "common/parties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_a_bucket_empties_and_fills(void **state)
{
    (void)state;
    struct bucket_rate rate = bucket_per_s(10, 0);
    struct bucket bucket = {0};
    int64_t now = 5;
    for (int i = 0; i < 10; i++)
        assert_true(bucket_take(&bucket, &rate, 1, now));
    assert_false(bucket_take(&bucket, &rate, 1, now));
    assert_false(bucket_take(&bucket, &rate, 1, now + 99));
    assert_true(bucket_take(&bucket, &rate, 1, now + 100)); /* what was refused costs nothing */
    assert_false(bucket_take(&bucket, &rate, 1, now + 199));
    assert_false(bucket_take(&bucket, &rate, 11, now + 100000)); /* never more than the burst */
    assert_true(bucket_take(&bucket, &rate, 10, now + 100000));
    assert_false(bucket_take(&bucket, &rate, 1, now + 100000));
}

static void test_a_steady_flood_gets_the_rate(void **state)
{
    (void)state;
    struct bucket_rate rate = bucket_per_s(100, 0);
    struct bucket bucket = {0};
    int passed = 0;
    for (int64_t now = 1000; now < 11000; now++) /* 1,000 a second for 10 s */
        passed += bucket_take(&bucket, &rate, 1, now);
    assert_in_range(passed, 1099, 1100); /* the burst, and 100 a second */
}

static void test_sizes(void **state)
{
    (void)state;
    struct bucket_rate rate = bucket_per_s(1000, 65536), minute = bucket_per_min(60), off = {0};
    struct bucket bucket = {0};
    assert_true(bucket_take(&bucket, &rate, 65536, 1)); /* the largest thing fits once */
    assert_false(bucket_take(&bucket, &rate, 1001, 1000));
    assert_true(bucket_take(&bucket, &rate, 1000, 1002));
    memset(&bucket, 0, sizeof bucket);
    assert_true(bucket_take(&bucket, &minute, 60, 1));
    assert_false(bucket_take(&bucket, &minute, 1, 1000));
    assert_true(bucket_take(&bucket, &minute, 1, 1001));
    assert_true(bucket_take(&bucket, &off, 4000000000u, 1));
    /* The largest of everything overflows nowhere. */
    struct bucket_rate huge = bucket_per_min(UINT32_MAX);
    memset(&bucket, 0, sizeof bucket);
    assert_true(bucket_take(&bucket, &huge, UINT32_MAX, INT64_MAX));
    assert_false(bucket_take(&bucket, &huge, UINT32_MAX, INT64_MAX));
}

static void test_a_clock_that_stands_or_goes_back_gives_nothing(void **state)
{
    (void)state;
    struct bucket_rate rate = bucket_per_s(1, 0);
    struct bucket bucket = {0};
    assert_true(bucket_take(&bucket, &rate, 1, 5000));
    assert_false(bucket_take(&bucket, &rate, 1, 1000));
    assert_false(bucket_take(&bucket, &rate, 1, 5000));
}

static struct address of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static void test_each_address_has_its_own(void **state)
{
    (void)state;
    struct parties *parties = parties_new(bucket_per_min(2));
    struct address a = of("10.0.0.1"), b = of("10.0.0.2"), six = of("2001:db8::1"),
                   neighbour = of("2001:db8::ffff"), other = of("2001:db8:0:1::1");
    assert_true(parties_take(parties, &a, 1));
    assert_true(parties_take(parties, &a, 1));
    assert_false(parties_take(parties, &a, 1));
    assert_true(parties_take(parties, &b, 1));
    assert_true(parties_take(parties, &six, 1));
    assert_true(parties_take(parties, &neighbour, 1));
    assert_false(parties_take(parties, &six, 1)); /* one /64, one party */
    assert_true(parties_take(parties, &other, 1));
    assert_int_equal(parties_count(parties), 4);
    assert_true(parties_take(parties, &a, 30001));
    parties_free(parties);
    parties_free(NULL);

    parties = parties_new(bucket_per_min(0));
    for (int i = 0; i < 100; i++)
        assert_true(parties_take(parties, &a, 1));
    assert_int_equal(parties_count(parties), 0);
    parties_free(parties);
}

static void test_memory_is_bounded_and_the_busy_are_remembered(void **state)
{
    (void)state;
    struct parties *parties = parties_new(bucket_per_min(1));
    struct address busy = of("192.0.2.1");
    assert_true(parties_take(parties, &busy, 1));
    for (unsigned i = 0; i < 2 * PARTIES_MAX; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
        struct address crowd = of(text);
        assert_true(parties_take(parties, &crowd, 2));
        if (i % 1000 == 0)
            assert_false(parties_take(parties, &busy, 2));
    }
    assert_int_equal(parties_count(parties), PARTIES_MAX);
    assert_false(parties_take(parties, &busy, 2));
    parties_free(parties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bucket_empties_and_fills),
        cmocka_unit_test(test_a_steady_flood_gets_the_rate),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_a_clock_that_stands_or_goes_back_gives_nothing),
        cmocka_unit_test(test_each_address_has_its_own),
        cmocka_unit_test(test_memory_is_bounded_and_the_busy_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
