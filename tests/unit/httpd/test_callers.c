#include "check.h"

#include "httpd/callers.h"

#include <string.h>

static struct config config;
static struct callers callers;

static struct address of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static void set_up(unsigned connects, unsigned rooms, unsigned tokens, const char *trusted)
{
    config_defaults(&config);
    config.address_connects_per_min = connects;
    config.address_rooms_per_min = rooms;
    config.address_tokens_per_min = tokens;
    strcpy(config.trusted_proxies, trusted);
    assert_int_equal(callers_init(&callers, &config), STATUS_OK);
}

static void each_limit_counts_alone(void **state)
{
    (void)state;
    set_up(1, 2, 3, "");
    struct address a = of("192.0.2.1"), b = of("192.0.2.2");
    for (int i = 0; i < 2; i++)
        assert_true(callers_take(&callers, LIMIT_ROOMS, &a, 1));
    assert_false(callers_take(&callers, LIMIT_ROOMS, &a, 1));
    for (int i = 0; i < 3; i++)
        assert_true(callers_take(&callers, LIMIT_TOKENS, &a, 1));
    assert_false(callers_take(&callers, LIMIT_TOKENS, &a, 1));
    assert_true(callers_connect(&callers, &a, 1));
    assert_false(callers_connect(&callers, &a, 1));
    assert_false(callers_connect(&callers, &a, 1));
    assert_true(callers_connect(&callers, &b, 1));
    assert_true(callers_take(&callers, LIMIT_NONE, &a, 1));
    assert_int_equal(callers.refused[LIMIT_ROOMS], 1);
    assert_int_equal(callers.refused[LIMIT_TOKENS], 1);
    assert_int_equal(callers.refused[LIMIT_CONNECTS], 2);
    callers_clear(&callers);
    callers_clear(&callers);
}

static void proxies_are_everybody(void **state)
{
    (void)state;
    set_up(1, 1, 1, "10.0.0.0/8");
    struct address proxy = of("10.0.0.1");
    for (int i = 0; i < 10; i++)
        assert_true(callers_connect(&callers, &proxy, 1));
    callers_clear(&callers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_counts_alone),
        cmocka_unit_test(proxies_are_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
