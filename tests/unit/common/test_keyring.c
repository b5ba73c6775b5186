#include "keyring_fixture.h"

#include "common/base64url.h"

#include <string.h>

static void test_key_files(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *why; /* a part of it; NULL = fine */
    } rows[] = {
        {KEY_1, 0600, NULL},
        {KEY_1, 0640, NULL},
        {"# new first\n\n  " KEY_2 "\t" KEY_1, 0400, NULL},
        {"one a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s \r\n", 0600, NULL},
        {KEY_1, 0644, "others"},
        {KEY_1, 0602, "others"},
        {KEY_1, 0660, "others"},
        {"", 0600, "no key"},
        {"# nothing\n", 0600, "no key"},
        {"one\n", 0600, ":1:"},
        {"one \n", 0600, ":1:"},
        {KEY_2 "one a2tra2tr\n", 0600, ":2:"},
        {"one a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n", 0600, ":1:"},
        {"one a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2t\n", 0600, ":1:"},
        {"o/e a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n", 0600, ":1:"},
        {KEY_1 KEY_1, 0600, "another"},
        {"a" KEY_1 "b" KEY_1 "c" KEY_1 "d" KEY_1 "e" KEY_1 "f" KEY_1 "g" KEY_1 "h" KEY_1 "i" KEY_1,
         0600, ":9:"},
    };
    char why[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keyring *keyring = ring_of(rows[i].text, rows[i].mode, why);
        if ((keyring != NULL) != (rows[i].why == NULL) ||
            (rows[i].why && !strstr(why, rows[i].why)))
            fail_msg("row %zu: %s", i, why);
        assert_null(strstr(why, "a2tra2tr")); /* no secret in a sentence */
        keyring_free(keyring);
    }
    keyring_free(NULL);
    struct keyring *keyring = NULL;
    assert_int_equal(keyring_load("/nonexistent", &keyring, why, sizeof why), STATUS_INTERNAL);
    assert_int_equal(keyring_load("/", &keyring, why, sizeof why), STATUS_INTERNAL);
}

static void test_generated_key_works(void **state)
{
    char line[KEY_LINE_MAX + 1], other[KEY_LINE_MAX + 1], token[TOKEN_MAX + 1];
    struct token_claims claims = {
        .role = ROLE_OPERATOR, .peer_id = "o-ann", .issued_at = 1, .expires_at = 2};
    (void)state;
    key_line_generate(line);
    key_line_generate(other);
    assert_string_not_equal(line, other);
    struct keyring *keyring = ring(line);
    assert_int_equal(token_sign(keyring, &claims, token), STATUS_OK);
    keyring_free(keyring);
}

/* ---- base64url, what keys and tokens are written in ---- */

static void test_base64url(void **state)
{
    static const char *const refused[] = {
        "A", "AAAAA", "AB", "AAB", "AA==", "AA ", "A+AA", "A/AA", "\344AAA"};
    char text[400];
    unsigned char in[256] = {0}, out[256];
    size_t len;
    (void)state;
    for (size_t size = 0; size <= sizeof in; size++) {
        for (size_t i = 0; i < size; i++)
            in[i] = (unsigned char)(i * 37 + size);
        assert_int_equal(base64url_encode(in, size, text), BASE64URL_LENGTH(size));
        assert_true(base64url_decode(text, BASE64URL_LENGTH(size), out, size, &len));
        assert_int_equal(len, size);
        assert_memory_equal(in, out, size);
        if (size > 0)
            assert_false(base64url_decode(text, BASE64URL_LENGTH(size), out, size - 1, &len));
    }
    /* RFC 4648, section 10. */
    assert_int_equal(base64url_encode("foobar", 6, text), 8);
    assert_memory_equal(text, "Zm9vYmFy", 8);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(base64url_decode(refused[i], strlen(refused[i]), out, sizeof out, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_generated_key_works),
        cmocka_unit_test(test_base64url),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
