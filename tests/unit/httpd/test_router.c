#include "check.h"

#include "httpd/router.h"

#include <string.h>

static void rows_of_the_contract(void **state)
{
    static const struct {
        const char *path;
        enum route_id route;
        const char *param;
    } rows[] = {
        {"/", ROUTE_HOME, ""},
        {"/r/standup/", ROUTE_ROOM_PAGE, "standup"},
        {"/r/standup", ROUTE_ROOM_PAGE_BARE, "standup"},
        {"/r/a%20b/", ROUTE_ROOM_PAGE, "a b"},
        {"/api/rooms", ROUTE_ROOMS, ""},
        {"/api/rooms/standup", ROUTE_ROOM, "standup"},
        {"/api/rooms/st%61ndup", ROUTE_ROOM, "standup"},
        {"/api/rooms/standup/peers", ROUTE_PEERS, "standup"},
        {"/api/devices/d-door/ring", ROUTE_RING, "d-door"},
        {"/healthz", ROUTE_HEALTHZ, ""},
        {"/readyz", ROUTE_READYZ, ""},
        {"/metrics", ROUTE_METRICS, ""},
        {"/%6detrics", ROUTE_METRICS, ""},
        {"/js/call.js", ROUTE_FILE, ""},
        {"/r/", ROUTE_FILE, ""},
        {"/r", ROUTE_FILE, ""},
        {"/api/rooms/", ROUTE_FILE, ""},
        {"/api/rooms/a/", ROUTE_FILE, ""},
        {"/api/rooms/a/b", ROUTE_FILE, ""},
        {"/r/a/b", ROUTE_FILE, ""},
        {"/healthz/", ROUTE_FILE, ""},
        {"/...", ROUTE_FILE, ""},
        {"/.x/..y", ROUTE_FILE, ""},
        {"/{file}", ROUTE_FILE, ""},
    };
    struct router_match match;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (router_match(rows[i].path, &match) != ROUTER_FOUND || match.route != rows[i].route)
            fail_msg("%s", rows[i].path);
        assert_string_equal(match.param, rows[i].param);
    }
}

static void hostile_paths(void **state)
{
    static const struct {
        const char *path;
        enum router_answer answer;
    } rows[] = {
        {"", ROUTER_BAD_PATH},
        {"*", ROUTER_BAD_PATH},
        {"r/x", ROUTER_BAD_PATH},
        {"http://host/r/x/", ROUTER_BAD_PATH},
        {"/%", ROUTER_BAD_PATH},
        {"/%4", ROUTER_BAD_PATH},
        {"/%4g", ROUTER_BAD_PATH},
        {"/%g4", ROUTER_BAD_PATH},
        {"/%%41", ROUTER_BAD_PATH},
        {"/r/a%00b/", ROUTER_BAD_PATH},
        {"/r/%0d%0aSet-Cookie:x/", ROUTER_BAD_PATH},
        {"/r/\x01/", ROUTER_BAD_PATH},
        {"/r/%7f/", ROUTER_BAD_PATH},
        {"//", ROUTER_NOT_FOUND},
        {"//etc/passwd", ROUTER_NOT_FOUND},
        {"/r//", ROUTER_NOT_FOUND},
        {"/r//x/", ROUTER_NOT_FOUND},
        {"/api//rooms", ROUTER_NOT_FOUND},
        {"/r/x//", ROUTER_NOT_FOUND},
        {"/r/a%2fb/", ROUTER_NOT_FOUND},
        {"/r/a%2Fb/", ROUTER_NOT_FOUND},
        {"/%2f", ROUTER_NOT_FOUND},
        {"/js%2fcall.js", ROUTER_NOT_FOUND},
        {"/.", ROUTER_NOT_FOUND},
        {"/..", ROUTER_NOT_FOUND},
        {"/./", ROUTER_NOT_FOUND},
        {"/../", ROUTER_NOT_FOUND},
        {"/../../etc/passwd", ROUTER_NOT_FOUND},
        {"/js/../js/call.js", ROUTER_NOT_FOUND},
        {"/js/%2e%2e/js/call.js", ROUTER_NOT_FOUND},
        {"/js/.%2E/js/call.js", ROUTER_NOT_FOUND},
        {"/%2e", ROUTER_NOT_FOUND},
        {"/r/x/..", ROUTER_NOT_FOUND},
        {"/r/../%zz", ROUTER_BAD_PATH},
    };
    struct router_match match;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (router_match(rows[i].path, &match) != rows[i].answer)
            fail_msg("%s", rows[i].path);
    }
}

/* Decoding happens once: what is left stays as it is, and names nothing that the plain form would
 * not. */
static void double_encoding(void **state)
{
    struct router_match match;
    (void)state;
    assert_int_equal(router_match("/r/%252e%252e/", &match), ROUTER_FOUND);
    assert_string_equal(match.param, "%2e%2e");
}

static void long_paths(void **state)
{
    char path[ROUTER_PATH_MAX + 3];
    struct router_match match;
    (void)state;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[ROUTER_PATH_MAX] = '\0';
    assert_int_equal(router_match(path, &match), ROUTER_FOUND);
    assert_int_equal(strlen(match.path), ROUTER_PATH_MAX);
    path[ROUTER_PATH_MAX] = 'a';
    path[ROUTER_PATH_MAX + 1] = '\0';
    assert_int_equal(router_match(path, &match), ROUTER_NOT_FOUND);
    memcpy(path, "/r/", 3);
    path[ROUTER_PATH_MAX] = '\0';
    assert_int_equal(router_match(path, &match), ROUTER_FOUND);
    assert_int_equal(strlen(match.param), ROUTER_PATH_MAX - 3);
}

static void methods(void **state)
{
    (void)state;
    assert_int_equal(router_method("GET"), METHOD_GET);
    assert_int_equal(router_method("HEAD"), METHOD_HEAD);
    assert_int_equal(router_method("POST"), METHOD_POST);
    assert_int_equal(router_method("get"), METHOD_OTHER);
    assert_int_equal(router_method("OPTIONS"), METHOD_OTHER);
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = &router_routes[i];
        assert_int_equal(!(route->methods & METHOD_GET), !(route->methods & METHOD_HEAD));
        assert_int_equal(route->methods & METHOD_POST ? 1 : 0,
                         strstr(route->allow, "POST") != NULL);
        assert_int_equal(route->methods & METHOD_GET ? 1 : 0, strstr(route->allow, "GET") != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_contract),
        cmocka_unit_test(hostile_paths),
        cmocka_unit_test(double_encoding),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
