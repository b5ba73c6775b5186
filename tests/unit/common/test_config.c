#include "common/config.h"
#include "common/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct config config, other;
static char why[CONFIG_WHY_MAX + 1];

static enum status parse(const char *text)
{
    return config_parse("file", text, strlen(text), &config, why);
}

static void test_defaults(void **state)
{
    (void)state;
    config_defaults(&config);
    assert_string_equal(config.keys_file, "/var/lib/parley/keys");
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    assert_string_equal(config.http_listen, "127.0.0.1");
    assert_int_equal(config.http_port, 8080);
    assert_int_equal(config.grace_s, 30);
    assert_int_equal(config.room_ttl_s, 86400);
    assert_int_equal(config.broker_count, 1);
    assert_string_equal(config.brokers[0].name, "main");
    assert_int_equal(config.brokers[0].mqtt_port, 11883);
    assert_int_equal(config.brokers[0].ws_port, 9001);
    assert_string_equal(config.brokers[0].ws_url, "");

    /* An empty file, and none, say the same. */
    assert_int_equal(config_parse("file", "", 0, &other, why), STATUS_OK);
    assert_memory_equal(&config, &other, sizeof config);
    assert_int_equal(config_load(NULL, &other, why), STATUS_OK);
    assert_memory_equal(&config, &other, sizeof config);
}

static void test_a_whole_file(void **state)
{
    (void)state;
    assert_int_equal(parse("\xef\xbb\xbf# a comment\r\n"
                           "[parley]\r\n"
                           "state_dir = /srv/parley state ; where it is\r\n"
                           "log_level=debug\r\n"
                           "\r\n"
                           "  [http]  # the front\n"
                           "listen = ::1\n"
                           "port = 80\n"
                           "public_url = https://example.org/a=b\n"
                           "[broker north]\n"
                           "tick_ms = 0\n"
                           "[broker south]\n"
                           "host = south.example.org\n"
                           "mqtt_port = 1\n"
                           "ws_port = 65535\n"
                           "ws_url = wss://{host}/mqtt;x\n"
                           "[turn]\n"
                           "urls = stun:a.example  turns:b.example:443?transport=tcp\n"
                           "[limits]\n"
                           "rooms_max = 0"),
                     STATUS_OK);
    assert_string_equal(config.state_dir, "/srv/parley state");
    assert_string_equal(config.keys_file, "/srv/parley state/keys");
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    assert_string_equal(config.http_listen, "::1");
    assert_int_equal(config.http_port, 80);
    assert_string_equal(config.http_public_url, "https://example.org/a=b");
    assert_int_equal(config.broker_count, 2);
    assert_int_equal(config.brokers[0].tick_ms, 0);
    assert_int_equal(config.brokers[0].mqtt_port, 11883);
    assert_string_equal(config.brokers[1].name, "south");
    assert_string_equal(config.brokers[1].host, "south.example.org");
    assert_int_equal(config.brokers[1].mqtt_port, 1);
    assert_string_equal(config.brokers[1].ws_url, "wss://{host}/mqtt;x");
    assert_int_equal(config.rooms_max, 0);
    assert_int_equal(config_broker_by_name(&config, "south"), 1);
    assert_int_equal(config_broker_by_name(&config, "main"), -1);
    assert_int_equal(config_broker_by_name(&config, NULL), 0);
}

static void test_keys_file_is_its_own_when_given(void **state)
{
    (void)state;
    assert_int_equal(parse("[parley]\nkeys_file=/var/lib/parley/keys\nstate_dir=/x\n"), STATUS_OK);
    assert_string_equal(config.keys_file, "/var/lib/parley/keys");
    assert_int_equal(parse("[parley]\nkeys_file=\nstate_dir=/x\n"), STATUS_OK);
    assert_string_equal(config.keys_file, "/x/keys");
}

static void test_wrong_files(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[nonsense]\n", "file:1: there is no such section"},
        {"\n\n[http]\nprot = 80\n", "file:4: there is no such option"},
        {"[rooms]\nport = 80\n", "file:2: there is no such option"},
        {"port = 80\n", "file:1: an option needs a [section]"},
        {"[http]\nport = 80\nport = 81\n", "file:3: this option is there twice"},
        {"[http]\n[rooms]\n[http]\n", "file:3: this section is there twice"},
        {"[broker a]\n[broker a]\n", "file:2: this broker is there twice"},
        {"[broker]\n", "file:1: there is no such section"},
        {"[broker ]\n", "file:1: there is no such section"},
        {"[broker a b]\n", "file:1: there is no such section"},
        {"[broker  a]\n", "file:1: there is no such section"},
        {"[Broker a]\n", "file:1: there is no such section"},
        {"[http\n", "file:1: a section's name ends with ]"},
        {"[http] port = 80\n", "file:1: there is something behind"},
        {"[http]\nport\n", "file:2: this line is no section"},
        {"[http]\nport =\n", "file:2: port is not a whole number from 1 to 65535"},
        {"[http]\nport = 0\n", "file:2: port is not a whole number"},
        {"[http]\nport = 65536\n", "file:2: port is not a whole number"},
        {"[http]\nport = -1\n", "file:2: port is not a whole number"},
        {"[http]\nport = +1\n", "file:2: port is not a whole number"},
        {"[http]\nport = 0x50\n", "file:2: port is not a whole number"},
        {"[http]\nport = 80 90\n", "file:2: port is not a whole number"},
        {"[http]\nport = 99999999999999999999999\n", "file:2: port is not a whole number"},
        {"[http]\nport = 80 # web\n", "file:2: port holds a comment mark"},
        {"[http]\nlisten = localhost\n", "file:2: listen is not an IPv4 or IPv6 address"},
        {"[http]\npublic_url = example.org\n", "file:2: public_url is not an http:"},
        {"[http]\npublic_url = http://\n", "file:2: public_url is not an http:"},
        {"[broker a]\nhost =\n", "file:2: host is not"},
        {"[broker a]\nhost = a b\n", "file:2: host is not"},
        {"[broker a]\nsocket = run/a.sock\n", "file:2: socket is not an absolute path"},
        {"[broker a]\nsocket = /run/a b.sock\n", "file:2: socket is not an absolute path"},
        {"[broker a]\nws_url = http://x/\n", "file:2: ws_url is not a ws:"},
        {"[broker a]\nmqtt_port = 5\nws_port = 5\n", "mqtt_port and [broker a] ws_port are both 5"},
        {"[broker a]\n[broker b]\n",
         "[broker a] mqtt_port and [broker b] mqtt_port are both 11883"},
        {"[parley]\ntls_cert = a\n", "tls_cert and tls_key go together"},
        {"[parley]\ntls_key = a\n", "tls_cert and tls_key go together"},
        {"[http]\ntrusted_proxies = 10.0.0.1/8\n", "is not a list of addresses and prefixes"},
        {"[http]\ntrusted_proxies = 10.0.0.0/8, ::1\n", "is not a list of addresses and prefixes"},
        {"[turn]\nurls = stun:a http://b\n", "file:2: urls is not a list"},
        {"[parley]\nlog_level = loud\n", "file:2: log_level is not"},
        {"[parley]\nstate_dir = /a\tb\n", "file:2: state_dir holds a control"},
        {"[turn]\nurls = turn:\xff\n", "file:2: urls is not valid UTF-8"},
        /* A continued line would be another value for the option before it. */
        {"[turn]\nurls = stun:a\n  stun:b\n", "file:3:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(&config, 0x55, sizeof config);
        other = config;
        if (parse(rows[i].text) != STATUS_BAD_REQUEST || !strstr(why, rows[i].why))
            fail_msg("%s: %s", rows[i].text, why);
        assert_memory_equal(&config, &other, sizeof config);
    }
    assert_int_equal(config_parse("file", "[http]\nport = 80\0\n", 18, &config, why),
                     STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "file:2: this line holds a NUL"));
}

/* Nothing is ever cut: values, lines and sections are taken whole or refused. */
static void test_lengths(void **state)
{
    char text[4096], value[2048];
    (void)state;
    for (size_t len = CONFIG_TEXT_MAX - 6; len <= 1500; len++) {
        memset(value, 'x', len);
        value[0] = '/';
        value[len] = '\0';
        snprintf(text, sizeof text, "[http]\nweb_root = %s\nport = 81\n", value);
        enum status status = parse(text);
        assert_int_equal(status, len <= CONFIG_TEXT_MAX ? STATUS_OK : STATUS_BAD_REQUEST);
        if (status == STATUS_OK)
            assert_string_equal(config.http_web_root, value);
        else
            assert_non_null(strstr(why, "file:2: "));
    }
    for (size_t len = 30; len <= 70; len++) {
        memset(value, 'n', len);
        value[len] = '\0';
        snprintf(text, sizeof text, "[broker %s]\nws_port = 7\n", value);
        enum status status = parse(text);
        assert_int_equal(status, len <= ROOM_ID_MAX ? STATUS_OK : STATUS_BAD_REQUEST);
        if (status == STATUS_OK)
            assert_string_equal(config.brokers[0].name, value);
    }
    /* state_dir fits, keys beside it would not. */
    memset(value, 'd', CONFIG_TEXT_MAX);
    value[CONFIG_TEXT_MAX] = '\0';
    snprintf(text, sizeof text, "[parley]\nstate_dir = %s\n", value);
    assert_int_equal(parse(text), STATUS_BAD_REQUEST);
    snprintf(text, sizeof text, "[parley]\nstate_dir = %s\nkeys_file = k\n", value);
    assert_int_equal(parse(text), STATUS_OK);

    size_t at = 0;
    for (int i = 0; i <= BROKERS_MAX; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "[broker b%d]\n", i);
    assert_int_equal(parse(text), STATUS_BAD_REQUEST);
    assert_non_null(strstr(why, "file:65: there are too many brokers"));
}

static void test_set(void **state)
{
    static const char *const wrong[] = {
        "",
        "rooms",
        "rooms.grace_s",
        "rooms=5",
        ".=",
        "rooms.grace=5",
        "broker.ws_port=5",
        "broker nowhere.ws_port=5",
        "broker main.ws_port=0",
        "broker main.grace_s=5",
        "rooms.grace_s= 5",
        "http.web_root= /x",
        "http.web_root=/x ",
        "http.web_root=/x ;y",
        "http.web_root=;y",
        "http.web_root=#y",
        "http.web_root=/x\ny",
    };
    (void)state;
    config_defaults(&config);
    assert_int_equal(config_set(&config, "rooms.grace_s=5", why), STATUS_OK);
    assert_int_equal(config.grace_s, 5);
    assert_int_equal(config_set(&config, "broker main.ws_port=9999", why), STATUS_OK);
    assert_int_equal(config.brokers[0].ws_port, 9999);
    assert_int_equal(config_set(&config, "http.public_url=https://a.b/?c=d", why), STATUS_OK);
    assert_string_equal(config.http_public_url, "https://a.b/?c=d");
    assert_int_equal(config_set(&config, "broker main.ws_url=", why), STATUS_OK);

    /* The keys go where the state goes, until they are given a place of their own. */
    assert_int_equal(config_set(&config, "parley.state_dir=/a.b", why), STATUS_OK);
    assert_string_equal(config.keys_file, "/a.b/keys");
    assert_int_equal(config_set(&config, "parley.keys_file=/k", why), STATUS_OK);
    assert_int_equal(config_set(&config, "parley.state_dir=/c", why), STATUS_OK);
    assert_string_equal(config.keys_file, "/k");

    other = config;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        why[0] = '\0';
        if (config_set(&config, wrong[i], why) != STATUS_BAD_REQUEST || !why[0])
            fail_msg("%s", wrong[i]);
        assert_memory_equal(&config, &other, sizeof config);
    }
}

/* Options that are fine by themselves may exclude each other. */
static void test_check_looks_at_all_of_them(void **state)
{
    static const char *const wrong[][2] = {
        {"parley.tls_cert=/c", "rooms.grace_s=5"},
        {"parley.tls_key=/k", "rooms.grace_s=5"},
        {"broker main.mqtt_port=9001", "rooms.grace_s=5"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        config_defaults(&config);
        assert_int_equal(config_check(&config, why), STATUS_OK);
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(config_set(&config, wrong[i][k], why), STATUS_OK);
        why[0] = '\0';
        assert_int_equal(config_check(&config, why), STATUS_BAD_REQUEST);
        assert_true(why[0] != '\0');
    }
}

static void test_write_reads_back_the_same(void **state)
{
    char *text = NULL;
    size_t size = 0;
    (void)state;
    assert_int_equal(parse("[parley]\nstate_dir=/s t\nlog_level=error\n[http]\nport=1\n"
                           "[broker b]\ntick_ms=7\n[broker a]\nhost=h\nws_url=wss://x/a;b\n"
                           "[turn]\nurls=stun:x turn:y\n[limits]\npeers_max=0\n"),
                     STATUS_OK);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    config_write(out, &config);
    fclose(out);
    assert_int_equal(config_parse("file", text, size, &other, why), STATUS_OK);
    assert_memory_equal(&config, &other, sizeof config);
    free(text);
}

static void test_load(void **state)
{
    char path[] = "/tmp/parley-test-config-XXXXXX";
    static const char text[] = "[rooms]\ngrace_s = x\n";
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    assert_int_equal(config_load(path, &config, why), STATUS_BAD_REQUEST);
    assert_memory_equal(why, path, strlen(path));
    assert_non_null(strstr(why, ":2: grace_s"));
    unlink(path);
    assert_int_equal(config_load(path, &config, why), STATUS_INTERNAL);
    assert_memory_equal(why, path, strlen(path));
    assert_int_equal(config_load("/", &config, why), STATUS_INTERNAL);
}

static void test_options_are_printed(void **state)
{
    static const char *const wanted[] = {"rooms.grace_s=30\n", "broker NAME.tick_ms=5\n",
                                         "| `[rooms]` | `grace_s` | `30` | Seconds"};
    (void)state;
    for (int markdown = 0; markdown < 2; markdown++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        config_print_options(out, markdown);
        fclose(out);
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            assert_int_equal(strstr(text, wanted[i]) != NULL, (i == 2) == markdown);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_a_whole_file),
        cmocka_unit_test(test_keys_file_is_its_own_when_given),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_check_looks_at_all_of_them),
        cmocka_unit_test(test_write_reads_back_the_same),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_options_are_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
