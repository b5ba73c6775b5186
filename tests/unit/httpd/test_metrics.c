#include "check.h"

#include "httpd/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(const struct metrics *metrics)
{
    static const uint64_t refused[LIMIT_COUNT] = {[LIMIT_ROOMS] = 5};
    static struct report roomd, gate;
    static const char roomd_says[] =
        "{\"rooms\":7,\"joins\":8,\"store_ok\":true,\"errors\":{\"quota\":9}}";
    static const char gate_says[] = "{\"put_out\":1,\"connects\":{\"granted\":2,\"bad-token\":3}}";
    assert_int_equal(report_take(&roomd, (struct payload){roomd_says, strlen(roomd_says)}),
                     STATUS_OK);
    assert_int_equal(report_take(&gate, (struct payload){gate_says, strlen(gate_says)}), STATUS_OK);
    struct metrics_now now = {.refused = refused,
                              .pending = 3,
                              .connections = 4,
                              .broker_count = 2,
                              .brokers = {{"main", true, true, 12, 1, &roomd, &gate},
                                          {"other", false, false, 0, 0, &roomd, &gate}}};
    size_t len;
    char *text = metrics_text(metrics, &now, &len);
    assert_non_null(text);
    assert_int_equal(len, strlen(text));
    return text;
}

static void has_line(const char *text, const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (!strstr(text, wanted))
        fail_msg("no line %s", line);
}

static void values(void **state)
{
    static struct metrics metrics;
    (void)state;
    metrics_count_request(&metrics, ROUTE_PEERS, 201);
    metrics_count_request(&metrics, ROUTE_PEERS, 201);
    metrics_count_request(&metrics, ROUTE_FILE, 404);
    metrics_count_request(&metrics, ROUTE_HOME, 99999);
    metrics.tokens_new = 2;
    metrics.tokens_renewed = 1;
    metrics.connections_cut = 7;
    char *text = text_of(&metrics);
    has_line(text, "parley_httpd_build_info{version=\"" PARLEY_VERSION "\"} 1");
    has_line(text,
             "parley_httpd_requests_total{route=\"/api/rooms/{room}/peers\",status=\"201\"} 2");
    has_line(text, "parley_httpd_requests_total{route=\"/{file}\",status=\"404\"} 1");
    has_line(text, "parley_httpd_tokens_issued_total{kind=\"new\"} 2");
    has_line(text, "parley_httpd_tokens_issued_total{kind=\"renewed\"} 1");
    has_line(text, "parley_httpd_connections_cut_total 7");
    has_line(text, "parley_httpd_connections 4");
    has_line(text, "parley_httpd_pending 3");
    has_line(text, "parley_httpd_broker_connected{broker=\"main\"} 1");
    has_line(text, "parley_httpd_broker_connected{broker=\"other\"} 0");
    has_line(text, "parley_httpd_roomd_online{broker=\"main\"} 1");
    has_line(text, "parley_httpd_rooms{broker=\"main\"} 12");
    has_line(text, "parley_httpd_devices{broker=\"main\"} 1");
    assert_null(strstr(text, "status=\"0\""));
    free(text);
}

/* The exposition format: each family has its HELP and TYPE once, before its samples, which stand
 * together. */
static void form(void **state)
{
    static struct metrics metrics;
    char family[128] = "";
    char *save = NULL;
    (void)state;
    metrics_count_request(&metrics, ROUTE_HOME, 200);
    char *text = text_of(&metrics);
    assert_int_equal(text[strlen(text) - 1], '\n');
    char *seen = strdup(text);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char name[128];
        if (sscanf(line, "# HELP %127s", name) == 1) {
            char help[160];
            snprintf(help, sizeof help, "# HELP %s ", name);
            assert_null(strstr(strstr(seen, help) + 1, help));
            strcpy(family, name);
        } else if (sscanf(line, "# TYPE %127s", name) == 1) {
            assert_string_equal(name, family);
            assert_int_equal(strstr(line, " counter") != NULL, strstr(name, "_total") != NULL);
        } else {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(line, "{ "), line);
            assert_string_equal(name, family);
        }
    }
    free(seen);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(form)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
