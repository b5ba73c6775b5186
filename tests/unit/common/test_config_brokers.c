/* Several brokers in one configuration. */
#include "vectors.h"

#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config config, other;
static char why[CONFIG_WHY_MAX + 1];

static enum status parse(const char *text)
{
    return config_parse("file", text, strlen(text), &config, why);
}

/* ---- which broker a room belongs to ---- */

static void test_rendezvous_vectors(void **state)
{
    cJSON *vectors = vectors_load("rendezvous.json");
    const cJSON *vector, *name;
    (void)state;
    assert_true(cJSON_GetArraySize(vectors) > 20);
    cJSON_ArrayForEach(vector, vectors)
    {
        config_defaults(&config);
        config.broker_count = 0;
        cJSON_ArrayForEach(name, cJSON_GetObjectItem(vector, "brokers")) snprintf(
            config.brokers[config.broker_count++].name, ROOM_ID_MAX + 1, "%s", name->valuestring);
        unsigned index = config_broker_of_room(&config, vector_text(vector, "room"));
        assert_in_range(index, 0, config.broker_count - 1);
        assert_string_equal(config.brokers[index].name, vector_text(vector, "broker"));
    }
    cJSON_Delete(vectors);
}

/* A broker that goes takes its own rooms along and moves no other; shares are about even. */
static void test_rendezvous_moves_little(void **state)
{
    enum { BROKERS = 5, ROOMS = 5000 };
    unsigned shares[BROKERS] = {0};
    char room[ROOM_ID_MAX + 1];
    (void)state;
    config_defaults(&config);
    config.broker_count = BROKERS;
    for (int i = 0; i < BROKERS; i++)
        snprintf(config.brokers[i].name, ROOM_ID_MAX + 1, "broker-%d", i);
    other = config;
    other.broker_count = BROKERS - 1; /* the last one goes */
    for (int i = 0; i < ROOMS; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        unsigned before = config_broker_of_room(&config, room);
        unsigned after = config_broker_of_room(&other, room);
        shares[before]++;
        if (before != BROKERS - 1)
            assert_int_equal(before, after);
    }
    for (int i = 0; i < BROKERS; i++)
        assert_in_range(shares[i], ROOMS / BROKERS * 8 / 10, ROOMS / BROKERS * 12 / 10);
}

/* ---- what brokers must not share ---- */

#define TLS "[parley]\ntls_cert=c\ntls_key=k\n"

static void test_ports_of_one_machine_differ(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: fine */
    } rows[] = {
        {"[broker a]\nws_port=11883\n",
         "[broker a] mqtt_port and [broker a] ws_port are both 11883"},
        {"[broker a]\nmqtts_port=9001\n", NULL}, /* nobody listens there */
        {TLS "[broker a]\nmqtts_port=9001\n", "[broker a] ws_port and [broker a] mqtts_port"},
        {"[http]\nport=9001\n", "[http] port and [broker main] ws_port are both 9001"},
        {"[http]\nport=9001\n[broker a]\nhost=localhost\n", "[http] port and [broker a] ws_port"},
        {"[http]\nport=9001\n[broker a]\nhost=10.0.0.1\n", NULL},
        {"[broker a]\n[broker b]\nmqtt_port=1\n",
         "[broker a] ws_port and [broker b] ws_port are both 9001"},
        {"[broker a]\n[broker b]\nmqtt_port=9001\nws_port=1\n",
         "[broker a] ws_port and [broker b] mqtt_port"},
        {"[broker a]\n[broker b]\nmqtt_port=1\nws_port=2\n", NULL},
        {TLS "[broker a]\n[broker b]\nmqtt_port=1\nws_port=2\n",
         "[broker a] mqtts_port and [broker b] mqtts_port are both 8883"},
        {TLS "[broker a]\n[broker b]\nmqtt_port=1\nws_port=2\nmqtts_port=3\n", NULL},
        {"[broker a]\nhost=127.0.0.2\n[broker b]\nhost=::1\n",
         "[broker a] mqtt_port and [broker b] mqtt_port"},
        {"[broker a]\nhost=a.example\n[broker b]\nhost=b.example\n", NULL},
        {"[broker a]\nhost=a.example\n[broker b]\nhost=a.example\n",
         "[broker a] mqtt_port and [broker b] mqtt_port"},
        {"[broker a]\nhost=a.example\n[broker b]\n[broker c]\nhost=a.example\n",
         "[broker a] mqtt_port and [broker c] mqtt_port"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        why[0] = '\0';
        enum status status = parse(rows[i].text);
        if (rows[i].why ? status != STATUS_BAD_REQUEST || !strstr(why, rows[i].why)
                        : status != STATUS_OK)
            fail_msg("%s: %s", rows[i].text, why);
    }
}

#define TWO "[broker a]\nhost=a.example\n"

static void test_urls_differ(void **state)
{
    (void)state;
    assert_int_equal(parse(TWO "[broker b]\n"), STATUS_OK); /* both made from {host} */
    assert_int_equal(parse(TWO "ws_url=wss://x/\n[broker b]\nws_url=wss://y/\n"), STATUS_OK);
    assert_int_equal(
        parse(TWO "ws_url=wss://x/\n[broker c]\n[broker b]\nhost=b.example\nws_url=wss://x/\n"),
        STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "the ws_url of [broker a] and [broker b] are one"));
}

/* ---- stores ---- */

static void assert_store(unsigned broker, const char *expected)
{
    char path[CONFIG_STORE_MAX + 1];
    config_store_path(&config, &config.brokers[broker], path);
    assert_string_equal(path, expected);
}

static void test_every_broker_has_a_store_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(parse("[parley]\nstate_dir=/s\n"), STATUS_OK);
    assert_store(0, "/s/roomd.sqlite");
    assert_int_equal(parse("[parley]\nstate_dir=/s\n[broker north]\n"), STATUS_OK);
    assert_store(0, "/s/roomd.sqlite");
    assert_int_equal(parse("[parley]\nstate_dir=/s\n" TWO "[broker main]\n"), STATUS_OK);
    assert_store(0, "/s/roomd.sqlite");
    assert_store(1, "/s/roomd-main.sqlite");

    assert_int_equal(parse("[rooms]\nstore=/r.db\n"), STATUS_OK);
    assert_store(0, "/r.db");
    assert_int_equal(parse("[rooms]\nstore=/r-{broker}.db\n"), STATUS_OK);
    assert_store(0, "/r-main.db");
    assert_int_equal(parse("[rooms]\nstore=/{broker}/r\n" TWO "[broker b]\n"), STATUS_OK);
    assert_store(0, "/a/r");
    assert_store(1, "/b/r");
    assert_int_equal(parse("[rooms]\nstore=/broker/r\n" TWO "[broker b]\n"), STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "[rooms] store has to hold {broker}"));
    assert_int_equal(parse("[rooms]\nstore=/{broker}/{broker}.db\n" TWO), STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "[rooms] store holds {broker} twice"));
    assert_int_equal(parse("[rooms]\nstore=/{broker}{broker}\n"), STATUS_BAD_REQUEST);
}

/* Its rooms are where they were when others are added, whatever it is called. */
static void test_the_first_broker_keeps_its_store(void **state)
{
    char before[CONFIG_STORE_MAX + 1];
    (void)state;
    assert_int_equal(parse("[broker north]\n"), STATUS_OK);
    config_store_path(&config, &config.brokers[0], before);
    assert_int_equal(parse("[broker north]\n[broker south]\nhost=south.example\n"), STATUS_OK);
    assert_store(0, before);
    assert_store(1, "/var/lib/parley/roomd-south.sqlite");
    assert_int_equal(parse("[broker north]\n"), STATUS_OK);
    assert_int_equal(config_add_shards(&config, 2, why), STATUS_OK);
    assert_store(0, before);
    assert_store(1, "/var/lib/parley/roomd-shard2.sqlite");
}

static void assert_socket(unsigned broker, const char *expected)
{
    char path[CONFIG_SOCKET_MAX + 1];
    config_socket_path(&config.brokers[broker], path);
    assert_string_equal(path, expected);
}

static void test_every_broker_has_a_socket_of_its_own_or_none(void **state)
{
    char text[256], expected[CONFIG_SOCKET_MAX + 1] = "/";
    (void)state;
    assert_int_equal(parse(TWO "[broker b]\nsocket=/b\n"), STATUS_OK);
    assert_socket(0, "");
    assert_socket(1, "/b");
    assert_int_equal(parse("[broker north]\nsocket=/run/p-{broker}.sock\n"), STATUS_OK);
    assert_socket(0, "/run/p-north.sock");
    assert_int_equal(config_add_shards(&config, 2, why), STATUS_OK);
    assert_int_equal(config_check(&config, why), STATUS_OK);
    assert_socket(1, "/run/p-shard2.sock");

    assert_int_equal(parse(TWO "socket=/s\n[broker c]\n[broker b]\nhost=b.example\nsocket=/s\n"),
                     STATUS_BAD_REQUEST);
    assert_non_null(
        strstr(why, "[broker a] and [broker b] have the same socket: with {broker} in it"));
    assert_int_equal(parse("[broker a]\nsocket=/{broker}/{broker}\n"), STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "[broker a] socket holds {broker} twice"));

    /* As long as it may be, with the name in it, and one byte more. */
    memset(expected + 1, 'x', CONFIG_SOCKET_MAX - 1);
    memcpy(expected + CONFIG_SOCKET_MAX - 5, "north", 5);
    snprintf(text, sizeof text, "[broker north]\nsocket=%.*s{broker}\n", CONFIG_SOCKET_MAX - 5,
             expected);
    assert_int_equal(parse(text), STATUS_OK);
    assert_socket(0, expected);
    snprintf(text, sizeof text, "[broker north]\nsocket=%.*sx{broker}\n", CONFIG_SOCKET_MAX - 5,
             expected);
    assert_int_equal(parse(text), STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "[broker north] socket is longer than 107 bytes"));
}

/* The longest there are. */
static void test_store_paths_are_whole(void **state)
{
    char text[CONFIG_TEXT_MAX + 1], expected[CONFIG_STORE_MAX + 1];
    (void)state;
    config_defaults(&config);
    memset(text, 's', CONFIG_TEXT_MAX);
    text[CONFIG_TEXT_MAX] = '\0';
    memcpy(config.state_dir, text, sizeof text);
    config.broker_count = 2;
    memset(config.brokers[1].name, 'n', ROOM_ID_MAX);
    snprintf(expected, sizeof expected, "%s/roomd-%s.sqlite", text, config.brokers[1].name);
    assert_store(1, expected);
    memcpy(text + CONFIG_TEXT_MAX - 8, "{broker}", 8);
    memcpy(config.roomd_store, text, sizeof text);
    snprintf(expected, sizeof expected, "%.*s%s", CONFIG_TEXT_MAX - 8, text,
             config.brokers[1].name);
    assert_store(1, expected);
}

/* ---- shards ---- */

static void test_shards_are_the_first_broker_counted_up(void **state)
{
    (void)state;
    assert_int_equal(
        parse(
            "[broker "
            "main]\nhost=h\nmqtt_port=100\nws_port=200\nmqtts_port=300\nbind=0.0.0.0\ntick_ms=9\n"),
        STATUS_OK);
    other = config;
    assert_int_equal(config_add_shards(&config, 1, why), STATUS_OK);
    assert_memory_equal(&config, &other, sizeof config);

    assert_int_equal(config_add_shards(&config, 3, why), STATUS_OK);
    assert_int_equal(config.broker_count, 3);
    assert_memory_equal(&config.brokers[0], &other.brokers[0], sizeof config.brokers[0]);
    for (unsigned i = 1; i < 3; i++) {
        const struct config_broker *shard = &config.brokers[i];
        assert_string_equal(shard->name, i == 1 ? "shard2" : "shard3");
        assert_int_equal(shard->mqtt_port, 100 + i);
        assert_int_equal(shard->ws_port, 200 + i);
        assert_int_equal(shard->mqtts_port, 300 + i);
        assert_string_equal(shard->host, "h");
        assert_string_equal(shard->bind, "0.0.0.0");
        assert_int_equal(shard->tick_ms, 9);
    }
    assert_int_equal(config_check(&config, why), STATUS_OK);

    config_defaults(&config);
    assert_int_equal(config_add_shards(&config, BROKERS_MAX, why), STATUS_OK);
    assert_int_equal(config.broker_count, BROKERS_MAX);
    assert_string_equal(config.brokers[BROKERS_MAX - 1].name, "shard64");
    assert_int_equal(config_check(&config, why), STATUS_OK);
}

static void test_shards_that_cannot_be(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        const char *why;
    } rows[] = {
        {"", 0, "the number of shards is 1 to 64"},
        {"", BROKERS_MAX + 1, "the number of shards is 1 to 64"},
        {TWO "[broker b]\n", 2, "names 2 brokers"},
        {TWO "[broker b]\n", 1, "names 2 brokers"},
        {"[broker shard2]\n", 2, "no name or no port for shard 2"},
        {"[broker main]\nws_port=65534\n", 3, "no name or no port for shard 3"},
        {"[broker main]\nmqtt_port=65535\n", 2, "no name or no port for shard 2"},
        {"[broker main]\nmqtts_port=65535\n", 2, "no name or no port for shard 2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(parse(rows[i].text), STATUS_OK);
        other = config;
        if (config_add_shards(&config, rows[i].count, why) != STATUS_BAD_REQUEST ||
            !strstr(why, rows[i].why))
            fail_msg("%s: %s", rows[i].text, why);
        assert_memory_equal(&config, &other, sizeof config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rendezvous_vectors),
        cmocka_unit_test(test_rendezvous_moves_little),
        cmocka_unit_test(test_ports_of_one_machine_differ),
        cmocka_unit_test(test_urls_differ),
        cmocka_unit_test(test_every_broker_has_a_store_of_its_own),
        cmocka_unit_test(test_every_broker_has_a_socket_of_its_own_or_none),
        cmocka_unit_test(test_the_first_broker_keeps_its_store),
        cmocka_unit_test(test_store_paths_are_whole),
        cmocka_unit_test(test_shards_are_the_first_broker_counted_up),
        cmocka_unit_test(test_shards_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
