#include "vectors.h"

#include "common/topics.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_good(const cJSON *vector, const char *name, const struct topic *topic)
{
    char formatted[TOPIC_MAX + 1];
    assert_string_equal(topic_event(topic->kind), vector_text(vector, "event"));
    assert_string_equal(topic->room, vector_text(vector, "room"));
    assert_string_equal(topic->peer, vector_text(vector, "peer"));
    assert_string_equal(topic->from, vector_text(vector, "from"));
    assert_int_equal(topic_qos(topic->kind), cJSON_GetObjectItem(vector, "qos")->valueint);
    assert_int_equal(topic_is_retained(topic->kind),
                     cJSON_IsTrue(cJSON_GetObjectItem(vector, "retained")));
    assert_in_range(topic_payload_max(topic->kind), EVENT_PAYLOAD_MAX, PAYLOAD_MAX);
    assert_true(topic_format(topic, formatted));
    assert_string_equal(formatted, name);
}

static void test_vectors(void **state)
{
    bool seen[TOPIC_KIND_COUNT] = {true};
    cJSON *vectors = vectors_load("topics.json");
    const cJSON *vector;
    (void)state;
    cJSON_ArrayForEach(vector, vectors)
    {
        const char *name = vector_text(vector, "topic");
        struct topic topic;
        bool good = topic_parse(name, strlen(name), &topic);
        if (good != (vector_text(vector, "pattern") != NULL))
            fail_msg("%s: %s", name, good ? vector_text(vector, "why") : "should parse");
        seen[topic.kind] = true;
        if (good)
            check_good(vector, name, &topic);
        else
            assert_true(topic.kind == TOPIC_NONE && !topic.room[0] && !topic.peer[0] &&
                        !topic.from[0]);
    }
    for (int kind = 0; kind < TOPIC_KIND_COUNT; kind++)
        assert_true(seen[kind]);
    cJSON_Delete(vectors);
}

/* The length counts: a name need not end with a NUL, and what follows it is not read. */
static void test_length_is_explicit(void **state)
{
    static const char name[] = TOPIC_ROOT "roomd/statuses";
    struct topic topic;
    (void)state;
    assert_true(topic_parse(name, sizeof name - 3, &topic));
    assert_int_equal(topic.kind, TOPIC_ROOMD_STATUS);
    assert_false(topic_parse(name, sizeof name - 2, &topic));
    for (size_t len = 0; len < sizeof name - 3; len++)
        assert_false(topic_parse(name, len, &topic));
    static const char nul[] = TOPIC_ROOT "roomd\0\0\0\0\0\0\0\0/status";
    assert_false(topic_parse(nul, sizeof nul - 1, &topic));
}

static void test_kinds_differ(void **state)
{
    struct topic topic;
    static const char offer[] = TOPIC_ROOT "rooms/r/to/p-a/offer/p-b";
    static const char request[] = TOPIC_ROOT "rooms/r/from/p-a/cut-the-call";
    static const char notice[] = TOPIC_ROOT "rooms/r/to/p-a/cut-the-call";
    (void)state;
    topic_parse(offer, strlen(offer), &topic);
    assert_int_equal(topic.kind, TOPIC_OFFER);
    topic_parse(request, strlen(request), &topic);
    assert_int_equal(topic.kind, TOPIC_CUT_REQUEST);
    topic_parse(notice, strlen(notice), &topic);
    assert_int_equal(topic.kind, TOPIC_CUT_NOTICE);
    assert_int_equal(topic_payload_max(TOPIC_OFFER), SDP_PAYLOAD_MAX);
    assert_int_equal(topic_payload_max(TOPIC_CANDIDATE), CANDIDATES_PAYLOAD_MAX);
    assert_int_equal(topic_payload_max(TOPIC_JOIN), EVENT_PAYLOAD_MAX);
    assert_string_equal(topic_event(TOPIC_NONE), "");
    assert_string_equal(topic_event((enum topic_kind)99), "");
}

static void test_format_refuses(void **state)
{
    static const struct topic rows[] = {
        {.kind = TOPIC_NONE},
        {.kind = TOPIC_KIND_COUNT},
        {.kind = TOPIC_ROOM_STATE},
        {.kind = TOPIC_ROOM_STATE, .room = "+"},
        {.kind = TOPIC_ROOM_STATE, .room = "a/b"},
        {.kind = TOPIC_JOIN, .room = "r"},
        {.kind = TOPIC_OFFER, .room = "r", .peer = "p-a"},
        {.kind = TOPIC_OFFER, .room = "r", .peer = "p-a", .from = "#"},
    };
    char out[TOPIC_MAX + 1] = "x";
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(topic_format(&rows[i], out));
        assert_string_equal(out, "");
    }
    /* Fields that the kind does not have are not looked at. */
    assert_true(topic_format(&(struct topic){.kind = TOPIC_ROOMD_STATS, .room = "+"}, out));
    assert_string_equal(out, TOPIC_ROOT "roomd/stats");
}

static void test_filter_within(void **state)
{
    static const struct {
        const char *filter, *allowed;
        bool within;
    } rows[] = {
        {"a/b", "a/b", true},
        {"a/b", "a/+", true},
        {"a/+", "a/+", true},
        {"a/b", "a/#", true},
        {"a/+", "a/#", true},
        {"a/#", "a/#", true},
        {"a/b/c/d", "a/#", true},
        {"a/+/c/#", "a/#", true},
        {"a", "a/#", true},
        {"a/b/#", "a/+/#", true},
        {"+/b", "+/+", true},
        {"a/", "a/+", true},
        {"/a", "+/a", true},
        {"#", "#", true},
        {"+", "#", true},
        {"#", "+/#", true},
        {"+/#", "#", true},
        {"$SYS/x", "$SYS/#", true},
        {"a/b/c", "+/b/#", true},
        {"a/+/b/+", "a/+/+/+", true},
        {"a/+", "a/b", false},
        {"a/#", "a/+", false},
        {"a/#", "a/b", false},
        {"#", "a/#", false},
        {"+", "a", false},
        {"+/b", "a/b", false},
        {"a/b", "a", false},
        {"a", "a/b", false},
        {"a", "a/+", false},
        {"a/b/c", "a/+", false},
        {"a/#", "a/+/#", false},
        {"ab", "a/#", false},
        {"a/bc", "a/b", false},
        {"a/b", "a/bc", false},
        {"b/#", "a/#", false},
        {"$SYS/x", "#", false},
        {"$SYS/x", "+/x", false},
        {"$SYS/#", "#", false},
        {"#", "+", false},
        {"+/+", "+", false},
        {"a/b/#", "a/b/c/#", false},
        /* not filters at all */
        {"", "#", false},
        {"a#", "#", false},
        {"a/b#", "#", false},
        {"+b", "#", false},
        {"a+/b", "#", false},
        {"#/x", "#", false},
        {"a/#/b", "#", false},
        {"a/##", "#", false},
        {"a/++", "#", false},
        {"++", "#", false},
        {"a", "", false},
        {"a/b", "a/b#", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (topic_filter_within(rows[i].filter, rows[i].allowed) != rows[i].within)
            fail_msg("%s within %s", rows[i].filter, rows[i].allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),       cmocka_unit_test(test_length_is_explicit),
        cmocka_unit_test(test_kinds_differ),  cmocka_unit_test(test_format_refuses),
        cmocka_unit_test(test_filter_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
