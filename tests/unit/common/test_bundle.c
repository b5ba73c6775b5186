/* Bundles: what is put in comes out, in order; what does not fit or is broken is told from what is
 * whole. */
#include "common/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct bundle bundle;

static int start(void **state)
{
    (void)state;
    bundle.len = 0;
    return 0;
}

static struct topic topic_of(enum topic_kind kind, const char *room, const char *peer)
{
    struct topic topic = {.kind = kind};
    snprintf(topic.room, sizeof topic.room, "%s", room);
    snprintf(topic.peer, sizeof topic.peer, "%s", peer);
    return topic;
}

static enum status add(const struct topic *topic, const char *payload)
{
    return bundle_add(&bundle, topic, payload, strlen(payload));
}

static struct payload all(void)
{
    return (struct payload){bundle.text, bundle.len};
}

static void comes_out_in_order(void **state)
{
    const struct topic topics[] = {
        topic_of(TOPIC_ROOM_STATE, "k3", ""), topic_of(TOPIC_JOINED, "k3", "p-1"),
        topic_of(TOPIC_ROOM_STATE, "gone", ""), topic_of(TOPIC_ROOMD_STATUS, "", "")};
    const char *const payloads[] = {"{\"rev\":1}", "{\"name\":\"a b\"}", "", "{}"};
    struct payload rest, payload;
    struct topic topic;
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(add(&topics[i], payloads[i]), STATUS_OK);
    rest = all();
    for (size_t i = 0; i < 4; i++) {
        assert_true(bundle_next(&rest, &topic, &payload));
        assert_int_equal(topic.kind, topics[i].kind);
        assert_string_equal(topic.room, topics[i].room);
        assert_string_equal(topic.peer, topics[i].peer);
        assert_int_equal(payload.len, strlen(payloads[i]));
        assert_memory_equal(payload.text, payloads[i], payload.len);
    }
    assert_false(bundle_next(&rest, &topic, &payload));
    assert_int_equal(rest.len, 0);
}

static void what_does_not_fit_changes_nothing(void **state)
{
    static char payload[OUTBOUND_MAX];
    const struct topic topic = topic_of(TOPIC_JOINED, "k3", "p-1");
    struct payload rest, found;
    struct topic out;
    size_t count = 0;
    (void)state;
    memset(payload, 'x', sizeof payload);
    while (bundle_add(&bundle, &topic, payload, sizeof payload) == STATUS_OK)
        count++;
    assert_in_range(count, 7, 8); /* of 8 KiB each */
    size_t left = sizeof bundle.text - bundle.len;
    size_t most = left - strlen("rooms/k3/to/p-1/joined ") - 1;
    assert_int_equal(bundle_add(&bundle, &topic, payload, most + 1), STATUS_TOO_LARGE);
    assert_int_equal(sizeof bundle.text - bundle.len, left);
    assert_int_equal(bundle_add(&bundle, &topic, payload, most), STATUS_OK);
    assert_int_equal(bundle.len, sizeof bundle.text);
    rest = all();
    for (size_t i = 0; i < count + 1; i++)
        assert_true(bundle_next(&rest, &out, &found));
    assert_int_equal(rest.len, 0);
}

static void what_would_not_come_out_does_not_go_in(void **state)
{
    const struct topic fine = topic_of(TOPIC_ROOM_STATE, "k3", "");
    const struct topic nameless = topic_of(TOPIC_ROOM_STATE, "", "");
    (void)state;
    assert_int_equal(add(&fine, "{}\nrooms/k4/state {}"), STATUS_BAD_REQUEST);
    assert_int_equal(add(&nameless, "{}"), STATUS_BAD_REQUEST);
    assert_int_equal(bundle.len, 0);
}

static void what_is_broken_stays(void **state)
{
    static const char *const broken[] = {"rooms/k3/state {}",   /* no end */
                                         "rooms/k3/state{}\n",  /* no blank */
                                         " {}\n",               /* no topic */
                                         "rooms/k3/stage {}\n", /* none of ours */
                                         "\n"};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct payload rest, payload;
        struct topic topic;
        char text[128];
        int len = snprintf(text, sizeof text, "rooms/k1/state {}\n%s", broken[i]);
        rest = (struct payload){text, (size_t)len};
        assert_true(bundle_next(&rest, &topic, &payload));
        assert_false(bundle_next(&rest, &topic, &payload));
        assert_int_equal(rest.len, strlen(broken[i]));
    }
    /* A topic longer than any. */
    static char longest[TOPIC_MAX + 64];
    struct payload rest = {longest, sizeof longest}, payload;
    struct topic topic;
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 2] = ' ';
    longest[sizeof longest - 1] = '\n';
    assert_false(bundle_next(&rest, &topic, &payload));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(comes_out_in_order, start),
        cmocka_unit_test_setup(what_does_not_fit_changes_nothing, start),
        cmocka_unit_test_setup(what_would_not_come_out_does_not_go_in, start),
        cmocka_unit_test_setup(what_is_broken_stays, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
