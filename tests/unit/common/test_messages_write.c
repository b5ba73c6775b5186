/*
 * Writing of payloads: the texts themselves, and that what one side writes the other reads.
 */
#include "common/json_scan.h"
#include "common/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OK STATUS_OK

static struct payload payload_of(const char *text)
{
    return (struct payload){text, strlen(text)};
}

static void fill(char *out, char c, size_t len)
{
    memset(out, c, len);
    out[len] = '\0';
}

/* The largest of everything: two names of 64 quotes, ids and a seat of full length. */
static void test_rooms_round_trip(void **state)
{
    struct msg_room in = {.rev = (UINT64_C(1) << 53) - 1, .max_peers = 2, .peer_count = 2}, out;
    char text[OUTBOUND_MAX], seat[SEAT_MAX + 1];
    (void)state;
    fill(in.room_id, 'r', ROOM_ID_MAX);
    fill(in.peers[0].peer_id, 'p', PEER_ID_MAX);
    fill(in.peers[1].peer_id, 'q', PEER_ID_MAX);
    fill(in.peers[0].peer_name, '"', PEER_NAME_CHARS_MAX);
    fill(in.peers[1].peer_name, '\\', PEER_NAME_CHARS_MAX);
    fill(seat, 's', SEAT_MAX);
    in.peers[1].away = true;

    size_t len = msg_encode_room(&in, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_int_equal(msg_decode_room(payload_of(text), &out, NULL), OK);
    assert_true(out.rev == in.rev && out.max_peers == 2 && out.peer_count == 2);
    assert_string_equal(out.room_id, in.room_id);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(out.peers[i].peer_id, in.peers[i].peer_id);
        assert_string_equal(out.peers[i].peer_name, in.peers[i].peer_name);
        assert_int_equal(out.peers[i].away, i == 1);
    }
    /* One byte too few is too few. */
    assert_int_equal(msg_encode_room(&in, text, len), 0);
    assert_string_equal(text, "");
    assert_int_equal(msg_encode_room(&in, text, len + 1), len);

    len = msg_encode_joined(in.room_id, true, seat, &in, text, sizeof text);
    assert_int_not_equal(len, 0);
    assert_int_equal(json_scan(text, len), JSON_FINE);
}

#define CHECK(call, wanted)                                                                        \
    do {                                                                                           \
        char out[OUTBOUND_MAX];                                                                    \
        size_t size = sizeof out;                                                                  \
        size_t len = (call);                                                                       \
        assert_string_equal(out, (wanted));                                                        \
        assert_int_equal(len, strlen(wanted));                                                     \
    } while (0)

static void test_texts(void **state)
{
    struct msg_room room = {.room_id = "r", .rev = 3, .max_peers = 2};
    struct msg_create_room create = {.request = "q"}, wanted = {.request = "q", .room_id = "k"};
    struct msg_room_created created = {.request = "q", .room_id = "k", .created = true};
    struct msg_roomd_status status = {ROOMD_ONLINE, "0.1.0", "e1", false};
    struct msg_roomd_status publishing = {ROOMD_ONLINE, "0.1.0", "e1", true};
    (void)state;
    CHECK(msg_encode_room(&room, out, size),
          "{\"room_id\":\"r\",\"max_peers\":2,\"rev\":3,\"peers\":[]}");
    CHECK(msg_encode_joined("s", false, "t", &room, out, size),
          "{\"session\":\"s\",\"resumed\":false,\"seat\":\"t\",\"room\":{\"room_id\":\"r\","
          "\"max_peers\":2,\"rev\":3,\"peers\":[]}}");
    CHECK(msg_encode_full_room("s", 2, out, size), "{\"session\":\"s\",\"max_peers\":2}");
    CHECK(
        msg_encode_user_arrived("p-a", "A\x01\t\"\\\xc3\xa9", true, out, size),
        "{\"peer_id\":\"p-a\",\"peer_name\":\"A\\u0001\\u0009\\\"\\\\\xc3\xa9\",\"resumed\":true}");
    CHECK(msg_encode_user_away("p-a", 30, out, size), "{\"peer_id\":\"p-a\",\"grace_s\":30}");
    CHECK(msg_encode_cut("p-a", "lost", out, size), "{\"peer_id\":\"p-a\",\"reason\":\"lost\"}");
    CHECK(msg_encode_gone(out, size), "{}");
    CHECK(msg_encode_room_error(STATUS_UNAVAILABLE, "d", "join", 5, out, size),
          "{\"error\":\"unavailable\",\"detail\":\"d\",\"event\":\"join\",\"retry_s\":5}");
    CHECK(msg_encode_room_error(STATUS_NO_SUCH_ROOM, "d", "join", 0, out, size),
          "{\"error\":\"no-such-room\",\"detail\":\"d\",\"event\":\"join\"}");
    CHECK(msg_encode_create_room(&create, out, size), "{\"request\":\"q\"}");
    CHECK(msg_encode_create_room(&wanted, out, size), "{\"request\":\"q\",\"room_id\":\"k\"}");
    CHECK(msg_encode_room_created(&created, out, size),
          "{\"request\":\"q\",\"room_id\":\"k\",\"path\":\"/r/k/\",\"created\":true}");
    CHECK(msg_encode_lobby_error("", STATUS_QUOTA, "d", out, size),
          "{\"request\":\"\",\"error\":\"quota\",\"detail\":\"d\"}");
    CHECK(msg_encode_ring("q", "k", "Ann", out, size),
          "{\"request\":\"q\",\"room_id\":\"k\",\"peer_name\":\"Ann\"}");
    CHECK(msg_encode_roomd_status(&status, out, size),
          "{\"state\":\"online\",\"version\":\"0.1.0\",\"epoch\":\"e1\"}");
    CHECK(msg_encode_roomd_status(&publishing, out, size),
          "{\"state\":\"online\",\"version\":\"0.1.0\",\"epoch\":\"e1\",\"publishing\":true}");
    CHECK(msg_encode_room_exists(true, out, size), "{\"exists\":true}");
}

static void test_lobby_and_status_round_trip(void **state)
{
    struct msg_create_room create = {.request = "q1", .room_id = "kitchen"}, create_out;
    struct msg_room_created created = {"q1", "kitchen", true}, created_out;
    struct msg_lobby_error error_out;
    struct msg_ring_answer answer_out;
    enum device_state device;
    char text[EVENT_PAYLOAD_MAX];
    (void)state;
    msg_encode_create_room(&create, text, sizeof text);
    assert_int_equal(msg_decode_create_room(payload_of(text), &create_out, NULL), OK);
    assert_string_equal(create_out.room_id, "kitchen");
    msg_encode_room_created(&created, text, sizeof text);
    assert_int_equal(msg_decode_room_created(payload_of(text), &created_out, NULL), OK);
    assert_true(created_out.created);
    for (enum status error = STATUS_BAD_REQUEST; error < STATUS_COUNT; error++) {
        msg_encode_lobby_error("q1", error, "d", text, sizeof text);
        assert_int_equal(msg_decode_lobby_error(payload_of(text), &error_out, NULL), OK);
        assert_int_equal(error_out.error, error);
    }
    for (enum roomd_state s = ROOMD_OFFLINE; s <= ROOMD_DRAINING; s++) {
        struct msg_roomd_status in = {s, "1", "e", s == ROOMD_ONLINE}, out;
        msg_encode_roomd_status(&in, text, sizeof text);
        assert_int_equal(msg_decode_roomd_status(payload_of(text), &out, NULL), OK);
        assert_int_equal(out.state, s);
        assert_int_equal(out.publishing, in.publishing);
    }
    for (int exists = 0; exists <= 1; exists++) {
        bool out = !exists;
        msg_encode_room_exists(exists, text, sizeof text);
        assert_int_equal(msg_decode_room_exists(payload_of(text), &out, NULL), OK);
        assert_int_equal(out, exists);
    }
    for (enum ring_answer a = RING_ACCEPTED; a <= RING_DECLINED; a++) {
        snprintf(text, sizeof text, "{\"request\":\"q\",\"answer\":\"%s\"}", ring_answer_name(a));
        assert_int_equal(msg_decode_ring_answer(payload_of(text), &answer_out, NULL), OK);
        assert_int_equal(answer_out.answer, a);
    }
    assert_int_equal(msg_decode_device_status(payload_of("{\"state\":\"in-call\"}"), &device, NULL),
                     OK);
    assert_int_equal(device, DEVICE_IN_CALL);
    assert_int_equal(
        msg_decode_lobby_error(payload_of("{\"request\":\"q\",\"error\":\"of-tomorrow\"}"),
                               &error_out, NULL),
        OK);
    assert_int_equal(error_out.error, STATUS_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rooms_round_trip),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lobby_and_status_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
