#include "mosquitto/meter.h"
#include "mosquitto/stats.h"

#include "common/json_scan.h"
#include "common/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct config config;

static struct meter_rates rates_of(unsigned messages, unsigned bytes)
{
    config.client_messages_per_s = messages;
    config.client_bytes_per_s = bytes;
    return meter_rates(&config);
}

static void test_messages(void **state)
{
    (void)state;
    struct meter_rates rates = rates_of(5, 0);
    struct meter meter = {0};
    for (int i = 0; i < 5; i++)
        assert_int_equal(meter_publish(&meter, &rates, PAYLOAD_MAX, 1), METER_FINE);
    assert_int_equal(meter_publish(&meter, &rates, 0, 1), METER_MESSAGES);
    assert_int_equal(meter_subscribe(&meter, &rates, 1), METER_MESSAGES);
    assert_int_equal(meter_subscribe(&meter, &rates, 201), METER_FINE);
    assert_int_equal(meter_publish(&meter, &rates, 0, 201), METER_MESSAGES);
}

static void test_bytes(void **state)
{
    (void)state;
    struct meter_rates rates = rates_of(0, 1000);
    struct meter meter = {0};
    assert_int_equal(meter_publish(&meter, &rates, PAYLOAD_MAX, 1), METER_FINE); /* once */
    assert_int_equal(meter_publish(&meter, &rates, 1, 1), METER_BYTES);
    assert_int_equal(meter_publish(&meter, &rates, 1000, 1001), METER_FINE);
    assert_int_equal(meter_publish(&meter, &rates, 1, 1001), METER_BYTES);
    /* Larger than anything may be: refused for that, and it costs what the largest costs. */
    memset(&meter, 0, sizeof meter);
    assert_int_equal(meter_publish(&meter, &rates, UINT32_MAX, 1), METER_FINE);
    assert_int_equal(meter_publish(&meter, &rates, 1, 1), METER_BYTES);
}

static void test_filters(void **state)
{
    (void)state;
    struct meter_rates rates = rates_of(1000000, 0), off = rates_of(0, 0);
    struct meter meter = {0};
    for (int i = 0; i < METER_SUBSCRIBES_BURST; i++)
        assert_int_equal(meter_subscribe(&meter, &rates, 1), METER_FINE);
    assert_int_equal(meter_subscribe(&meter, &rates, 1), METER_SUBSCRIBES);
    assert_int_equal(meter_subscribe(&meter, &rates, 1001), METER_FINE);
    for (int i = 0; i < 10 * METER_SUBSCRIBES_BURST; i++)
        assert_int_equal(meter_subscribe(&meter, &off, 1), METER_FINE);
}

static void test_patience_ends(void **state)
{
    (void)state;
    struct meter meter = {0};
    int told = 0, silent = 0;
    /* A hundred refusals a second are borne for ever; the client hears of one in each. */
    for (int64_t now = 1000; now < 61000; now += 10) {
        switch (meter_refuse(&meter, now)) {
        case METER_TELL:
            told++;
            break;
        case METER_SILENT:
            silent++;
            break;
        case METER_PUT_OUT:
            fail();
        }
    }
    assert_int_equal(told, 60);
    assert_int_equal(silent, 5940);
    /* Nine hundred are not. */
    int borne = 0;
    memset(&meter, 0, sizeof meter);
    for (int64_t i = 0; meter_refuse(&meter, 1000 + i * 10 / 9) != METER_PUT_OUT; i++)
        borne++;
    assert_in_range(borne, 1000, 1200);
}

static void test_queue(void **state)
{
    (void)state;
    struct meter meter = {0};
    for (int i = 0; i < METER_WAITING_MESSAGES; i++)
        assert_true(meter_queue(&meter, 1));
    assert_false(meter_queue(&meter, 1));
    meter_back(&meter);
    assert_true(meter_queue(&meter, METER_WAITING_BYTES));
    assert_false(meter_queue(&meter, 1));
    assert_true(meter_queue(&meter, 0));
    assert_false(meter_queue(&meter, SIZE_MAX));
}

static void test_inbox(void **state)
{
    (void)state;
    struct meter_rates rates = rates_of(0, 1), off = rates_of(0, 0);
    struct meter meter = {0};
    assert_true(meter_deliver(&meter, &rates, METER_INBOX_BURST, 1));
    assert_false(meter_deliver(&meter, &rates, 1, 1));
    assert_true(meter_deliver(&meter, &rates, METER_INBOX_PER_S, 1001));
    assert_false(meter_deliver(&meter, &rates, SIZE_MAX, INT64_MAX));
    assert_true(meter_deliver(&meter, &off, METER_INBOX_BURST, 1001));
    meter_back(&meter);
    assert_true(meter_deliver(&meter, &rates, METER_INBOX_BURST, 1001));
}

static void test_statistics(void **state)
{
    (void)state;
    struct gate_counts counts;
    struct gate_gauges gauges = {1, 2, 3};
    char text[OUTBOUND_MAX];
    memset(&counts, 0xff, sizeof counts); /* the longest numbers */
    size_t len = gate_stats_encode(&counts, &gauges, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_int_equal(json_scan(text, len), JSON_FINE);
    assert_non_null(strstr(text, "\"connected\":1,\"known\":2,\"rooms\":3,"));
    assert_non_null(strstr(text, "\"put_out\":18446744073709551615"));
    assert_non_null(strstr(text, "\"too-many-requests\":18446744073709551615"));
    assert_int_equal(gate_stats_encode(&counts, &gauges, text, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),   cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_filters),    cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_queue),      cmocka_unit_test(test_inbox),
        cmocka_unit_test(test_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
