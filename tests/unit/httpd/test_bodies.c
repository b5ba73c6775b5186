#include "check.h"

#include "httpd/bodies.h"

#include <limits.h>
#include <string.h>

static char text[BODY_MAX];

static void errors(void **state)
{
    (void)state;
    size_t len = body_error(STATUS_NO_SUCH_ROOM, 404, "say \"no\"", text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, "{\"type\":\"about:blank\",\"title\":\"There is no such room.\","
                              "\"status\":404,\"error\":\"no-such-room\","
                              "\"detail\":\"say \\\"no\\\"\"}");
    assert_int_equal(body_error(STATUS_NO_SUCH_ROOM, 404, "", text, 20), 0);
}

static void rooms_and_rings(void **state)
{
    (void)state;
    assert_true(body_room_created("standup", "http://h:8080", text, sizeof text) > 0);
    assert_string_equal(text, "{\"room_id\":\"standup\",\"url\":\"http://h:8080/r/standup/\","
                              "\"path\":\"/r/standup/\",\"max_peers\":2}");
    assert_true(body_ring("standup", "https://h", RING_BUSY, text, sizeof text) > 0);
    assert_string_equal(text, "{\"room_id\":\"standup\",\"url\":\"https://h/r/standup/\","
                              "\"answer\":\"busy\"}");
    assert_true(body_state("ready", text, sizeof text) > 0);
    assert_string_equal(text, "{\"state\":\"ready\"}");
}

static void peers(void **state)
{
    const struct turn_secret none = {0};
    struct body_peer peer = {.peer_id = "p-a",
                             .token = "t.t.t",
                             .expires_at = 1893456000,
                             .expires_in_s = 3600,
                             .mqtt_url = "ws://h:9001/",
                             .ice_urls = "stun:s",
                             .turn_secret = &none};
    (void)state;
    assert_true(body_peer(&peer, text, sizeof text) > 0);
    assert_string_equal(
        text,
        "{\"peer_id\":\"p-a\",\"token\":\"t.t.t\",\"expires_at\":1893456000,\"expires_in\":3600,"
        "\"mqtt\":{\"url\":\"ws://h:9001/\",\"client_id\":\"p-a\",\"username\":\"p-a\","
        "\"password\":\"t.t.t\",\"keepalive\":30},\"ice_servers\":[{\"urls\":[\"stun:s\"]}]}");
}

/* The longest of everything fits. */
static void the_largest_peer(void **state)
{
    char token[TOKEN_MAX + 1], urls[512], id[PEER_ID_MAX + 1], url[800];
    struct turn_secret secret = {.len = 1, .text = "s"};
    struct body_peer peer = {.peer_id = id,
                             .token = token,
                             .expires_at = INT64_MAX,
                             .expires_in_s = UINT_MAX,
                             .mqtt_url = url,
                             .ice_urls = urls,
                             .turn_secret = &secret,
                             .turn_expires_at = INT64_MAX};
    (void)state;
    memset(token, 't', sizeof token);
    token[TOKEN_MAX] = '\0';
    memset(id, 'p', sizeof id);
    id[PEER_ID_MAX] = '\0';
    memset(url, 'u', sizeof url);
    url[sizeof url - 1] = '\0';
    for (size_t i = 0; i + 7 < sizeof urls; i += 7)
        memcpy(urls + i, "turn:a ", 8);
    assert_true(body_peer(&peer, text, sizeof text) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(rooms_and_rings),
        cmocka_unit_test(peers),
        cmocka_unit_test(the_largest_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
