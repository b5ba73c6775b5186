#include "vectors.h"

#include "common/json_scan.h"
#include "common/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

static const char *const names[] = {
    [JSON_FINE] = "fine",       [JSON_SYNTAX] = "syntax", [JSON_DEPTH] = "depth",
    [JSON_UTF8] = "utf8",       [JSON_NUL] = "nul",       [JSON_DUPLICATE_KEY] = "duplicate-key",
    [JSON_MEMBERS] = "members",
};

/* The vector's text in memory of exactly its size, so that a sanitizer sees a byte read too far. */
static char *exact_text(const cJSON *vector, size_t *len)
{
    const char *in = vector_text(vector, "in"), *hex = vector_text(vector, "hex");
    *len = in ? strlen(in) : strlen(hex) / 2;
    char *text = malloc(*len ? *len : 1);
    assert_non_null(text);
    for (size_t i = 0; i < *len; i++) {
        char pair[3] = {0};
        if (!in)
            memcpy(pair, hex + 2 * i, 2);
        text[i] = in ? in[i] : (char)strtoul(pair, NULL, 16);
    }
    return text;
}

static void test_vectors(void **state)
{
    cJSON *vectors = vectors_load("json_scan.json");
    const cJSON *vector;
    bool seen[JSON_MEMBERS + 1] = {0};
    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        size_t len;
        char *text = exact_text(vector, &len);
        enum json_fault fault = json_scan(text, len);
        if (strcmp(names[fault], vector_text(vector, "fault")) != 0)
            fail_msg("%.*s: is %s, not %s (%s)", (int)len, text, names[fault],
                     vector_text(vector, "fault"), vector_text(vector, "why"));
        seen[fault] = true;
        free(text);
    }
    for (int fault = 0; fault <= JSON_MEMBERS; fault++)
        assert_true(seen[fault]);
    cJSON_Delete(vectors);
}

/* Whatever is cut off a good text, the rest is not taken for one. */
static void test_every_prefix_fails(void **state)
{
    static const char text[] = "{\"a\":[1.5e1,true,\"\\u00e9\xc3\xa9\"],\"b\":{\"c\":null}}";
    (void)state;
    assert_int_equal(json_scan(text, sizeof text - 1), JSON_FINE);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char *prefix = malloc(len ? len : 1);
        assert_non_null(prefix);
        memcpy(prefix, text, len);
        assert_int_not_equal(json_scan(prefix, len), JSON_FINE);
        free(prefix);
    }
}

/* Nothing passes that cJSON would then refuse, whichever single byte of a text is changed. */
static void test_agrees_with_cjson_on_changed_bytes(void **state)
{
    static const char text[] = "{\"s\":\"\\ud83d\\ude00\",\"n\":-1.5e+1,\"l\":[true,null,{}]}";
    int fine = 0;
    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof text];
            memcpy(changed, text, sizeof text);
            changed[at] = (char)byte;
            if (json_scan(changed, sizeof text - 1) != JSON_FINE)
                continue;
            cJSON *tree = cJSON_ParseWithLength(changed, sizeof text - 1);
            if (!tree)
                fail_msg("cJSON refuses %s", changed);
            cJSON_Delete(tree);
            fine++;
        }
    }
    assert_true(fine > 100);
}

static void test_sentences(void **state)
{
    char wanted[64];
    (void)state;
    for (int fault = -1; fault <= JSON_MEMBERS + 1; fault++)
        assert_true(strlen(json_fault_text((enum json_fault)fault)) > 5);
    snprintf(wanted, sizeof wanted, "It nests deeper than %d levels.", JSON_DEPTH_MAX);
    assert_string_equal(json_fault_text(JSON_DEPTH), wanted);
    snprintf(wanted, sizeof wanted, "An object has more than %d members.", JSON_MEMBERS_MAX);
    assert_string_equal(json_fault_text(JSON_MEMBERS), wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_prefix_fails),
        cmocka_unit_test(test_agrees_with_cjson_on_changed_bytes),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
