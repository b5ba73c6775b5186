#include "check.h"

#include "httpd/headers.h"

#include <string.h>

static void accept_encoding(void **state)
{
    static const struct {
        const char *field;
        bool gzip;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true},
        {"deflate , gzip", true},
        {"br,gzip ;q=0.5", true},
        {"gzip;q=1.000", true},
        {"gzip;q=0.001", true},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"gzip; Q=0", false},
        {"br, gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"gzip, *;q=0", true},
        {"*;q=0, gzip;q=0.1", true},
        {"*", true},
        {"*;q=0", false},
        {"identity", false},
        {"gzipped", false},
        {"gzi", false},
        {"gzip;", false},
        {"gzip;q", false},
        {"gzip;q=", false},
        {"gzip;level=9", false},
        {",,, ,gzip", true},
        {";q=1", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (header_accepts_gzip(rows[i].field) != rows[i].gzip)
            fail_msg("%s", rows[i].field ? rows[i].field : "(absent)");
    }
}

static void if_none_match(void **state)
{
    static const struct {
        const char *field;
        bool matches;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"*", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",W/\"abc\" ,\"y\"", true},
        {"\"x\", \"y\"", false},
        {"abc", false},
        {"\"abcd\"", false},
        {"\"ab\"", false},
        {"W/", false},
        {"\"abc", false},
        {"w/\"abc\"", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (header_etag_matches(rows[i].field, "\"abc\"") != rows[i].matches)
            fail_msg("%s", rows[i].field ? rows[i].field : "(absent)");
    }
}

static void content_type(void **state)
{
    static const struct {
        const char *field;
        bool json;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"application/json", true},
        {"Application/JSON", true},
        {" application/json ; charset=utf-8", true},
        {"application/json;charset=utf-8", true},
        {"application/json-patch+json", false},
        {"application/jso", false},
        {"text/plain", false},
        {"text/plain; application/json", false},
        {"application/json text/plain", false},
        {"application/x-www-form-urlencoded", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (header_is_json(rows[i].field) != rows[i].json)
            fail_msg("%s", rows[i].field ? rows[i].field : "(absent)");
    }
}

static void bearer(void **state)
{
    static const struct {
        const char *field;
        const char *token;
    } rows[] = {
        {NULL, NULL},
        {"", NULL},
        {"Bearer abc.def", "abc.def"},
        {"bearer abc", "abc"},
        {"Bearer   abc", "abc"},
        {"Bearer", NULL},
        {"Bearer ", NULL},
        {"Bearerabc", NULL},
        {"Basic abc", NULL},
        {"Bearer abc def", NULL},
        {"Bearer\tabc", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t len = 0;
        const char *token = header_bearer(rows[i].field, &len);
        if (!rows[i].token) {
            if (token)
                fail_msg("%s", rows[i].field);
            continue;
        }
        assert_non_null(token);
        assert_int_equal(len, strlen(rows[i].token));
        assert_memory_equal(token, rows[i].token, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_encoding),
        cmocka_unit_test(if_none_match),
        cmocka_unit_test(content_type),
        cmocka_unit_test(bearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
