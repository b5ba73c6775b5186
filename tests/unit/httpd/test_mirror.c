#include "check.h"

#include "httpd/mirror.h"

#include <stdio.h>

static void put(struct mirror *mirror, const char *id)
{
    assert_int_equal(mirror_put(mirror, id), STATUS_OK);
}

static void ids(void **state)
{
    struct mirror mirror;
    (void)state;
    mirror_init(&mirror);
    assert_false(mirror_has(&mirror, "a"));
    put(&mirror, "a");
    put(&mirror, "b");
    put(&mirror, "a");
    assert_int_equal(mirror.count, 2);
    assert_true(mirror_has(&mirror, "a"));
    assert_true(mirror_has(&mirror, "b"));
    assert_false(mirror_has(&mirror, "ab"));
    mirror_drop(&mirror, "a");
    mirror_drop(&mirror, "never");
    assert_false(mirror_has(&mirror, "a"));
    assert_int_equal(mirror.count, 1);
    mirror_clear(&mirror);
    assert_int_equal(mirror.count, 0);
}

/* What the broker retains no more is forgotten when everything retained has come, not before. */
static void generations(void **state)
{
    struct mirror mirror;
    (void)state;
    mirror_init(&mirror);
    mirror_begin(&mirror);
    assert_false(mirror.complete);
    put(&mirror, "kept");
    put(&mirror, "lost");
    mirror_complete(&mirror);
    assert_true(mirror.complete);

    mirror_lose(&mirror);
    assert_false(mirror.complete);
    assert_true(mirror_has(&mirror, "lost"));
    mirror_begin(&mirror);
    put(&mirror, "kept");
    put(&mirror, "new");
    assert_true(mirror_has(&mirror, "lost"));
    mirror_complete(&mirror);
    assert_false(mirror_has(&mirror, "lost"));
    assert_true(mirror_has(&mirror, "kept"));
    assert_true(mirror_has(&mirror, "new"));
    assert_int_equal(mirror.count, 2);
    mirror_clear(&mirror);
}

/* A connection that is lost before it was complete forgets nothing, and the next one starts over.
 */
static void a_generation_that_never_completed(void **state)
{
    struct mirror mirror;
    (void)state;
    mirror_init(&mirror);
    mirror_begin(&mirror);
    put(&mirror, "a");
    put(&mirror, "b");
    mirror_complete(&mirror);
    mirror_lose(&mirror);
    mirror_begin(&mirror);
    put(&mirror, "a");
    mirror_lose(&mirror);
    mirror_begin(&mirror);
    put(&mirror, "b");
    assert_int_equal(mirror.count, 2);
    mirror_complete(&mirror);
    assert_false(mirror_has(&mirror, "a"));
    assert_true(mirror_has(&mirror, "b"));
    mirror_clear(&mirror);
}

static void many(void **state)
{
    struct mirror mirror;
    char id[16];
    (void)state;
    mirror_init(&mirror);
    mirror_begin(&mirror);
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "room-%d", i);
        put(&mirror, id);
    }
    mirror_begin(&mirror);
    for (int i = 0; i < 10000; i += 2) {
        snprintf(id, sizeof id, "room-%d", i);
        put(&mirror, id);
    }
    mirror_complete(&mirror);
    assert_int_equal(mirror.count, 5000);
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "room-%d", i);
        assert_int_equal(mirror_has(&mirror, id), i % 2 == 0);
    }
    mirror_clear(&mirror);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids),
        cmocka_unit_test(generations),
        cmocka_unit_test(a_generation_that_never_completed),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
