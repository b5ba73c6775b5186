#include "check.h"

#include "httpd/mirror.h"

#include <stdio.h>
#include <string.h>

static void put(struct mirror *mirror, const char *id, const char *value)
{
    assert_int_equal(mirror_put(mirror, id, value, strlen(value)), STATUS_OK);
}

static void values(void **state)
{
    struct mirror mirror;
    (void)state;
    mirror_init(&mirror);
    assert_null(mirror_find(&mirror, "a"));
    put(&mirror, "a", "one");
    put(&mirror, "b", "");
    put(&mirror, "a", "another");
    assert_int_equal(mirror.count, 2);
    assert_string_equal(mirror_find(&mirror, "a")->value, "another");
    assert_string_equal(mirror_find(&mirror, "a")->id, "a");
    assert_int_equal(mirror_find(&mirror, "b")->len, 0);
    mirror_drop(&mirror, "a");
    mirror_drop(&mirror, "never");
    assert_null(mirror_find(&mirror, "a"));
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
    put(&mirror, "kept", "1");
    put(&mirror, "lost", "1");
    mirror_complete(&mirror);
    assert_true(mirror.complete);

    mirror_lose(&mirror);
    assert_false(mirror.complete);
    assert_non_null(mirror_find(&mirror, "lost"));
    mirror_begin(&mirror);
    put(&mirror, "kept", "2");
    put(&mirror, "new", "2");
    assert_non_null(mirror_find(&mirror, "lost"));
    mirror_complete(&mirror);
    assert_null(mirror_find(&mirror, "lost"));
    assert_string_equal(mirror_find(&mirror, "kept")->value, "2");
    assert_non_null(mirror_find(&mirror, "new"));
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
    put(&mirror, "a", "1");
    put(&mirror, "b", "1");
    mirror_complete(&mirror);
    mirror_lose(&mirror);
    mirror_begin(&mirror);
    put(&mirror, "a", "2");
    mirror_lose(&mirror);
    mirror_begin(&mirror);
    put(&mirror, "b", "3");
    assert_int_equal(mirror.count, 2);
    mirror_complete(&mirror);
    assert_null(mirror_find(&mirror, "a"));
    assert_non_null(mirror_find(&mirror, "b"));
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
        put(&mirror, id, id);
    }
    mirror_begin(&mirror);
    for (int i = 0; i < 10000; i += 2) {
        snprintf(id, sizeof id, "room-%d", i);
        put(&mirror, id, id);
    }
    mirror_complete(&mirror);
    assert_int_equal(mirror.count, 5000);
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "room-%d", i);
        const struct mirror_entry *entry = mirror_find(&mirror, id);
        assert_int_equal(entry != NULL, i % 2 == 0);
        if (entry)
            assert_string_equal(entry->value, id);
    }
    mirror_clear(&mirror);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(generations),
        cmocka_unit_test(a_generation_that_never_completed),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
