#include "check.h"

#include "httpd/report.h"

#include <stdlib.h>
#include <string.h>

static struct report one, other;

static enum status take(struct report *report, const char *text)
{
    return report_take(report, (struct payload){text, strlen(text)});
}

static char *written(void)
{
    const struct report_row rows[] = {{"a", &one}, {"b", &other}};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    report_write(out, "part", rows, 2);
    fclose(out);
    return text;
}

static void families(void **state)
{
    (void)state;
    assert_int_equal(
        take(&one, "{\"rooms\":2,\"joins\":3,\"errors\":{\"quota\":4,\"bad-request\":0}}"),
        STATUS_OK);
    assert_int_equal(take(&other, "{\"joins\":5,\"store_ok\":true}"), STATUS_OK);
    char *text = written();
    assert_string_equal(
        text, "# HELP parley_part_rooms As part says it (docs/schemas/part-stats.json).\n"
              "# TYPE parley_part_rooms gauge\n"
              "parley_part_rooms{broker=\"a\"} 2\n"
              "# HELP parley_part_joins_total As part says it (docs/schemas/part-stats.json).\n"
              "# TYPE parley_part_joins_total counter\n"
              "parley_part_joins_total{broker=\"a\"} 3\n"
              "parley_part_joins_total{broker=\"b\"} 5\n"
              "# HELP parley_part_errors_total As part says it (docs/schemas/part-stats.json).\n"
              "# TYPE parley_part_errors_total counter\n"
              "parley_part_errors_total{broker=\"a\",kind=\"quota\"} 4\n"
              "parley_part_errors_total{broker=\"a\",kind=\"bad-request\"} 0\n"
              "# HELP parley_part_store_ok As part says it (docs/schemas/part-stats.json).\n"
              "# TYPE parley_part_store_ok gauge\n"
              "parley_part_store_ok{broker=\"b\"} 1\n");
    free(text);
}

/* Whatever a part says, the text stays one that Prometheus reads. */
static void odd_members_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(take(&other, "{}"), STATUS_OK);
    assert_int_equal(
        take(&one, "{\"a b\":1,\"\":1,\"1a\":1,\"A\":1,\"a-b\":1,\"t\":\"x\",\"n\":null,\"l\":[1],"
                   "\"minus\":-1,\"o\":{\"a\\\"b\":1,\"fine-word\":2,\"deep\":{\"x\":1}},"
                   "\"a23456789012345678901234567890123456789x\":1,\"ok\":1}"),
        STATUS_OK);
    assert_int_equal(one.count, 2);
    assert_string_equal(one.values[0].word, "fine-word");
    assert_string_equal(one.values[1].name, "ok");
    assert_int_equal(take(&one, "[]"), STATUS_BAD_REQUEST);
    assert_int_equal(take(&one, ""), STATUS_BAD_REQUEST);
    assert_int_equal(one.count, 2); /* what was known stays */

    char many[2048] = "{";
    for (int i = 0; i < 60; i++)
        sprintf(many + strlen(many), "%s\"n%d\":1", i > 0 ? "," : "", i);
    strcat(many, ",\"o\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1}}");
    assert_int_equal(take(&one, many), STATUS_OK);
    assert_int_equal(one.count, REPORT_VALUES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families),
        cmocka_unit_test(odd_members_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
