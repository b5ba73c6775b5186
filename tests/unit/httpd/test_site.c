#include "check.h"

#include "httpd/site.h"

#include <stdio.h>
#include <string.h>

static void hosts_that_are_none(void **state)
{
    static const char *const rows[] = {
        "",           " ",           "a b",         "a/b",      "a@b",     "user@host:80",
        "host:",      "host:0",      "host:65536",  "host:80x", "host:-1", "host:+80",
        "host:80:80", ":80",         "[::1",        "::1",      "[::1]x",  "[::1]:",
        "[]",         "[zz]",        "[127.0.0.1]", "a\"b",     "a'b",     "a<b",
        "a;b",        "a\nb",        "a\tb",        "a%41",     "a..b",    ".a",
        "-a",         "h\xc3\xb6st", "host#x",      "host?x",   "{host}",  "host\\",
    };
    struct site site;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (site_of_request(rows[i], "", false, &site))
            fail_msg("%s", rows[i]);
        /* A public address does not make a hostile field welcome. */
        if (site_of_request(rows[i], "https://calls.example", false, &site))
            fail_msg("%s", rows[i]);
    }
}

static void hosts_that_are_too_long(void **state)
{
    char host[HOST_MAX + 8];
    struct site site;
    (void)state;
    memset(host, 'a', sizeof host);
    host[253] = '\0';
    assert_true(site_of_request(host, "", false, &site));
    assert_int_equal(strlen(site.host), 253);
    memcpy(host + 253, ":65535", 7);
    assert_true(site_of_request(host, "", false, &site));
    assert_int_equal(strlen(site.base), 7 + 253 + 6);
    memset(host, 'a', sizeof host);
    host[254] = '\0';
    assert_false(site_of_request(host, "", false, &site));
    host[254] = 'a';
    host[sizeof host - 1] = '\0';
    assert_false(site_of_request(host, "", false, &site));
}

static void site_from_host(void **state)
{
    struct site site;
    (void)state;
    assert_true(site_of_request("Calls.Example:8080", "", false, &site));
    assert_string_equal(site.base, "http://calls.example:8080");
    assert_string_equal(site.origin, "http://calls.example:8080");
    assert_string_equal(site.host, "calls.example");
    assert_true(site_of_request("[FE80::1]:81", "", false, &site));
    assert_string_equal(site.base, "http://[fe80::1]:81");
    assert_string_equal(site.host, "[fe80::1]");
    assert_false(site_of_request(NULL, "", false, &site));
}

static void site_from_public_url(void **state)
{
    static const char *const wrong[] = {"https://",     "https:///x",   "https://a b/",
                                        "https://a/?q", "https://a/#f", "calls.example",
                                        "https://u@a/"};
    struct site site;
    (void)state;
    assert_true(site_of_request("inner:8080", "https://Calls.Example:444/", false, &site));
    assert_string_equal(site.base, "https://Calls.Example:444");
    assert_string_equal(site.origin, "https://calls.example:444");
    assert_string_equal(site.host, "calls.example");
    assert_true(site_of_request(NULL, "https://calls.example", false, &site));
    assert_string_equal(site.base, "https://calls.example");
    for (size_t i = 0; i < ROWS(wrong); i++) {
        if (site_of_request("host", wrong[i], false, &site))
            fail_msg("%s", wrong[i]);
    }
}

static void origins(void **state)
{
    struct site site;
    (void)state;
    assert_true(site_of_request("calls.example:8080", "", false, &site));
    assert_true(site_owns_origin(&site, "http://calls.example:8080"));
    assert_false(site_owns_origin(&site, "http://CALLS.example:8080"));
    assert_false(site_owns_origin(&site, "https://calls.example:8080"));
    assert_false(site_owns_origin(&site, "http://calls.example"));
    assert_false(site_owns_origin(&site, "http://calls.example:80801"));
    assert_false(site_owns_origin(&site, "http://evil.example"));
    assert_false(site_owns_origin(&site, "null"));
    assert_false(site_owns_origin(&site, ""));
    assert_true(site_of_request(NULL, "https://calls.example/", false, &site));
    assert_true(site_owns_origin(&site, "https://calls.example"));
    assert_false(site_owns_origin(&site, "http://calls.example"));
    assert_false(site_owns_origin(&site, ""));
    assert_true(site_of_request("inner", "https://calls.example/", false, &site));
    assert_true(site_owns_origin(&site, "http://inner"));
}

static void broker_urls(void **state)
{
    struct config_broker broker = {.ws_port = 9001};
    char out[600];
    struct site site;
    (void)state;
    assert_true(site_of_request("[::1]:8080", "", false, &site));
    assert_true(site_broker_url(&site, &broker, out, sizeof out));
    assert_string_equal(out, "ws://[::1]:9001/");
    snprintf(broker.ws_url, sizeof broker.ws_url, "wss://{host}/mqtt");
    assert_true(site_broker_url(&site, &broker, out, sizeof out));
    assert_string_equal(out, "wss://[::1]/mqtt");
    snprintf(broker.ws_url, sizeof broker.ws_url, "wss://broker.example/mqtt");
    assert_true(site_broker_url(&site, &broker, out, sizeof out));
    assert_string_equal(out, "wss://broker.example/mqtt");
    assert_true(site_broker_url(&site, &broker, out, strlen("wss://broker.example/mqtt") + 1));
    assert_false(site_broker_url(&site, &broker, out, strlen("wss://broker.example/mqtt")));
}

/* With TLS, links, origins and the brokers' addresses are those of TLS. */
static void with_tls(void **state)
{
    static struct config config = {.broker_count = 1};
    struct site site;
    char out[128];
    (void)state;
    config.brokers[0].ws_port = 9001;
    assert_true(site_of_request("Calls.Example:8080", "", true, &site));
    assert_string_equal(site.base, "https://calls.example:8080");
    assert_string_equal(site.origin, "https://calls.example:8080");
    assert_true(site_owns_origin(&site, "https://calls.example:8080"));
    assert_false(site_owns_origin(&site, "http://calls.example:8080"));
    assert_true(site_broker_url(&site, &config.brokers[0], out, sizeof out));
    assert_string_equal(out, "wss://calls.example:9001/");
    assert_true(site_broker_origins(&site, &config, out, sizeof out));
    assert_string_equal(out, " wss://calls.example:9001");
    assert_true(site_of_request("inner:8080", "https://calls.example", true, &site));
    assert_string_equal(site.base, "https://calls.example");
    assert_true(site_owns_origin(&site, "https://inner:8080"));
    assert_true(site_broker_url(&site, &config.brokers[0], out, sizeof out));
    assert_string_equal(out, "wss://calls.example:9001/");
    /* The longest host there is, too. */
    char host[HOST_MAX + 1];
    memset(host, 'a', sizeof host);
    memcpy(host + 253, ":65535", 7);
    assert_true(site_of_request(host, "", true, &site));
    assert_int_equal(strlen(site.asked), strlen("https://") + 253 + 6);
}

static void which_sites_are_https(void **state)
{
    static const struct {
        const char *public_url, *tls_cert;
        bool is_https;
    } rows[] = {
        {"", "", false},
        {"", "/cert", true},
        {"https://calls.example", "", true},
        {"HTTPS://calls.example", "", true},
        {"http://calls.example", "", false},
        {"http://calls.example", "/cert", false},
    };
    static struct config config;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        snprintf(config.http_public_url, CONFIG_TEXT_MAX, "%s", rows[i].public_url);
        snprintf(config.tls_cert, CONFIG_TEXT_MAX, "%s", rows[i].tls_cert);
        if (site_is_https(&config) != rows[i].is_https)
            fail_msg("%s %s", rows[i].public_url, rows[i].tls_cert);
    }
}

static void broker_origins(void **state)
{
    static struct config config = {.broker_count = 4};
    char out[128];
    struct site site;
    (void)state;
    assert_true(site_of_request("h.example", "", false, &site));
    config.brokers[0].ws_port = 9001;
    snprintf(config.brokers[1].ws_url, CONFIG_TEXT_MAX, "wss://b.example/one");
    snprintf(config.brokers[2].ws_url, CONFIG_TEXT_MAX, "wss://b.example/two");
    snprintf(config.brokers[3].ws_url, CONFIG_TEXT_MAX, "wss://b.example:8/");
    assert_true(site_broker_origins(&site, &config, out, sizeof out));
    assert_string_equal(out, " ws://h.example:9001 wss://b.example wss://b.example:8");
    assert_false(site_broker_origins(&site, &config, out, 40));
    /* Nothing that would end the directive gets into the policy. */
    snprintf(config.brokers[3].ws_url, CONFIG_TEXT_MAX, "wss://b.example;script-src/");
    assert_false(site_broker_origins(&site, &config, out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_are_none),
        cmocka_unit_test(hosts_that_are_too_long),
        cmocka_unit_test(site_from_host),
        cmocka_unit_test(site_from_public_url),
        cmocka_unit_test(origins),
        cmocka_unit_test(broker_urls),
        cmocka_unit_test(broker_origins),
        cmocka_unit_test(with_tls),
        cmocka_unit_test(which_sites_are_https),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
