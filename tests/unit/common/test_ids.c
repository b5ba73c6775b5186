#include "vectors.h"

#include "common/ids.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_forms(void **state)
{
    cJSON *vectors = vectors_load("ids.json");
    const cJSON *vector;
    (void)state;
    assert_true(cJSON_GetArraySize(vectors) > 20);
    cJSON_ArrayForEach(vector, vectors)
    {
        const char *in = vector_text(vector, "in");
        bool valid = cJSON_IsTrue(cJSON_GetObjectItem(vector, "valid"));
        enum role role = role_from_name(vector_text(vector, "role"));
        if (id_is_valid(in, strlen(in)) != valid || peer_id_role(in, strlen(in)) != role)
            fail_msg("%s: %s", in, vector_text(vector, "why"));
    }
    cJSON_Delete(vectors);
    assert_false(id_is_valid("a\0b", 3));
    assert_true(id_is_valid("a/b", 1)); /* the length counts, not what follows */
}

static void test_role_names(void **state)
{
    (void)state;
    for (enum role role = ROLE_NONE; role <= ROLE_OPERATOR; role++)
        assert_int_equal(role_from_name(role_name(role)), role);
    assert_int_equal(role_from_name("admin"), ROLE_NONE);
    assert_int_equal(role_from_name("Peer"), ROLE_NONE);
    assert_int_equal(role_from_name(""), ROLE_NONE);
    assert_string_equal(role_name((enum role)99), "none");
}

static void test_peer_names(void **state)
{
    cJSON *vectors = vectors_load("peer_names.json");
    const cJSON *vector;
    (void)state;
    assert_true(cJSON_GetArraySize(vectors) > 40);
    cJSON_ArrayForEach(vector, vectors)
    {
        char out[PEER_NAME_MAX + 1] = "untouched";
        const char *in = vector_text(vector, "in"), *wanted = vector_text(vector, "out");
        enum status status = peer_name_clean(in, strlen(in), out);
        if (status != (wanted ? STATUS_OK : STATUS_BAD_PEER_NAME) ||
            strcmp(out, wanted ? wanted : "untouched") != 0)
            fail_msg("%s: %s", in, vector_text(vector, "why"));
    }
    cJSON_Delete(vectors);
}

/* What no JSON text can hold. */
static void test_peer_names_of_wrong_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"a\0b", 3},         {"\0", 1},
        {"\xff", 1},         {"a\xc3", 2},
        {"\xc0\xaf", 2},     {"\xed\xa0\x80", 3},
        {"a\xe2\x82 ", 4},   {"\xf4\x90\x80\x80", 4},
        {" \x80 ", 3},       {"ok\xfe", 3},
        {"\xe0\x80\x80", 3}, {"\xf0\x80\x80\x80", 4},
        {"\xc1\xbf", 2},     {"\xf8\x88\x80\x80\x80", 5},
    };
    char out[PEER_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(peer_name_clean(rows[i].bytes, rows[i].len, out), STATUS_BAD_PEER_NAME);
}

static void test_generated_ids(void **state)
{
    char room[2][ROOM_ID_MAX + 1], peer[2][PEER_ID_MAX + 1], id[2][REQUEST_ID_MAX + 1];
    (void)state;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 2; i++) {
            room_id_generate(room[i]);
            peer_id_generate(peer[i]);
            random_id_generate(id[i]);
            assert_int_equal(strlen(room[i]), 14);
            assert_true(room[i][4] == '-' && room[i][9] == '-');
            assert_int_equal(strspn(room[i], "0123456789abcdefghjkmnpqrstvwxyz-"), 14);
            assert_int_equal(strlen(peer[i]), 28);
            assert_int_equal(peer_id_role(peer[i], 28), ROLE_PEER);
            assert_int_equal(strlen(id[i]), 26);
            assert_true(id_is_valid(id[i], 26));
        }
        assert_string_not_equal(room[0], room[1]);
        assert_string_not_equal(peer[0], peer[1]);
        assert_string_not_equal(id[0], id[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),         cmocka_unit_test(test_role_names),
        cmocka_unit_test(test_peer_names),    cmocka_unit_test(test_peer_names_of_wrong_bytes),
        cmocka_unit_test(test_generated_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
