/*
 * Reading of payloads: what is accepted, and what is refused by which id.
 */
#include "common/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK  STATUS_OK
#define BAD STATUS_BAD_REQUEST

static struct payload payload_of(const char *text)
{
    return (struct payload){text, strlen(text)};
}

/* ---- what is read ---- */

/* Every decoder behind one signature; what it filled is thrown away. */
static enum status read_join(struct payload in, struct msg_fault *fault)
{
    struct msg_join out;
    return msg_decode_join(in, &out, fault);
}

static enum status read_cut(struct payload in, struct msg_fault *fault)
{
    struct msg_session out;
    return msg_decode_cut(in, &out, fault);
}

static enum status read_gone(struct payload in, struct msg_fault *fault)
{
    struct msg_session out;
    return msg_decode_gone(in, &out, fault);
}

static enum status read_create(struct payload in, struct msg_fault *fault)
{
    struct msg_create_room out;
    return msg_decode_create_room(in, &out, fault);
}

static enum status read_room(struct payload in, struct msg_fault *fault)
{
    struct msg_room out;
    return msg_decode_room(in, &out, fault);
}

static enum status read_created(struct payload in, struct msg_fault *fault)
{
    struct msg_room_created out;
    return msg_decode_room_created(in, &out, fault);
}

static enum status read_lobby_error(struct payload in, struct msg_fault *fault)
{
    struct msg_lobby_error out;
    return msg_decode_lobby_error(in, &out, fault);
}

static enum status read_device(struct payload in, struct msg_fault *fault)
{
    enum device_state out;
    return msg_decode_device_status(in, &out, fault);
}

static enum status read_ring_answer(struct payload in, struct msg_fault *fault)
{
    struct msg_ring_answer out;
    return msg_decode_ring_answer(in, &out, fault);
}

static enum status read_roomd(struct payload in, struct msg_fault *fault)
{
    struct msg_roomd_status out;
    return msg_decode_roomd_status(in, &out, fault);
}

static enum status read_exists(struct payload in, struct msg_fault *fault)
{
    bool out;
    return msg_decode_room_exists(in, &out, fault);
}

static enum status read_http_room(struct payload in, struct msg_fault *fault)
{
    struct msg_http_room out;
    return msg_decode_http_room(in, &out, fault);
}

static enum status read_http_ring(struct payload in, struct msg_fault *fault)
{
    struct msg_http_ring out;
    return msg_decode_http_ring(in, &out, fault);
}

typedef enum status (*reader)(struct payload in, struct msg_fault *fault);

static const reader readers[] = {
    read_join,      read_cut,         read_gone,        read_create, read_room,
    read_created,   read_device,      read_ring_answer, read_roomd,  read_http_room,
    read_http_ring, read_lobby_error, read_exists,
};

#define ROOM(rev, max, peers)                                                                      \
    "{\"room_id\":\"r\",\"rev\":" rev ",\"max_peers\":" max ",\"peers\":" peers "}"
#define ADA "{\"peer_id\":\"p-ada\",\"peer_name\":\"Ada\",\"state\":\"present\"}"
#define BOB "{\"peer_id\":\"p-bob\",\"peer_name\":\"Bob\",\"state\":\"away\"}"

static const struct {
    reader read;
    const char *text;
    enum status status;
} rows[] = {
    {read_join, "{\"session\":\"s1\",\"peer_name\":\" Ada \"}", OK},
    {read_join, "{\"session\":\"s1\",\"peer_name\":\"Ada\",\"seat\":\"x.y.z\",\"new\":[1]}", OK},
    {read_join, "{\"peer_name\":\"Ada\"}", BAD},
    {read_join, "{\"Session\":\"s1\",\"peer_name\":\"Ada\"}", BAD},
    {read_join, "{\"session\":\"\",\"peer_name\":\"Ada\"}", BAD},
    {read_join, "{\"session\":\"a b\",\"peer_name\":\"Ada\"}", BAD},
    {read_join, "{\"session\":1,\"peer_name\":\"Ada\"}", BAD},
    {read_join, "{\"session\":null,\"peer_name\":\"Ada\"}", BAD},
    {read_join, "{\"session\":\"s1\"}", BAD},
    {read_join, "{\"session\":\"s1\",\"peer_name\":7}", BAD},
    {read_join, "{\"session\":\"s1\",\"peer_name\":\"\"}", STATUS_BAD_PEER_NAME},
    {read_join, "{\"session\":\"s1\",\"peer_name\":\"a\\u202eb\"}", STATUS_BAD_PEER_NAME},
    {read_join, "{\"session\":\"s1\",\"peer_name\":\"Ada\",\"seat\":null}", BAD},
    {read_join, "{\"session\":\"s1\",\"peer_name\":\"Ada\",\"seat\":{}}", BAD},

    {read_cut, "{\"session\":\"s1\"}", OK},
    {read_cut, "{}", BAD},
    {read_gone, "{}", OK},
    {read_gone, "{\"session\":\"s1\"}", OK},
    {read_gone, "{\"session\":\"\"}", BAD},

    {read_create, "{\"request\":\"q1\"}", OK},
    {read_create, "{\"request\":\"q1\",\"room_id\":\"kitchen\"}", OK},
    {read_create, "{\"room_id\":\"kitchen\"}", BAD},
    {read_create, "{\"request\":\"q/1\"}", BAD},
    {read_create, "{\"request\":\"q1\",\"room_id\":\"\"}", STATUS_BAD_ROOM_ID},
    {read_create, "{\"request\":\"q1\",\"room_id\":\"a b\"}", STATUS_BAD_ROOM_ID},
    {read_create, "{\"request\":\"q1\",\"room_id\":5}", BAD},

    {read_room, ROOM("0", "2", "[]"), OK},
    {read_room, ROOM("9007199254740991", "2", "[" ADA "," BOB "]"), OK},
    {read_room, ROOM("9007199254740993", "2", "[]"), BAD},
    {read_room, ROOM("1e3", "2", "[]"), OK},
    {read_room, ROOM("1.5", "2", "[]"), BAD},
    {read_room, ROOM("-1", "2", "[]"), BAD},
    {read_room, ROOM("\"1\"", "2", "[]"), BAD},
    {read_room, ROOM("1", "4294967296", "[]"), BAD},
    {read_room, ROOM("1", "2", "{}"), BAD},
    {read_room, ROOM("1", "2", "[1]"), BAD},
    {read_room, ROOM("1", "2", "[{}]"), BAD},
    {read_room, ROOM("1", "2", "[" ADA ",[]]"), BAD},
    {read_room, ROOM("1", "2", "[" ADA "," BOB "," BOB "]"), BAD},
    {read_room, ROOM("1", "2", "[{\"peer_id\":\"p\",\"peer_name\":\"A\",\"state\":\"gone\"}]"),
     BAD},
    {read_room, "{\"room_id\":\"r\",\"rev\":1,\"max_peers\":2}", BAD},

    {read_created, "{\"request\":\"q\",\"room_id\":\"r\",\"path\":\"/r/r/\",\"created\":true}", OK},
    {read_created, "{\"request\":\"q\",\"room_id\":\"r\",\"created\":1}", BAD},
    {read_created, "{\"request\":\"q\",\"room_id\":\"r\"}", BAD},
    {read_lobby_error, "{\"request\":\"\",\"error\":\"quota\",\"detail\":\"x\"}", OK},
    {read_lobby_error, "{\"request\":\"q\",\"error\":\"of-tomorrow\"}", OK},
    {read_lobby_error, "{\"request\":\"a b\",\"error\":\"quota\"}", BAD},
    {read_lobby_error, "{\"request\":\"q\"}", BAD},

    {read_device, "{\"state\":\"online\"}", OK},
    {read_device, "{\"state\":\"in-call\",\"room_id\":\"r\"}", OK},
    {read_device, "{\"state\":\"in-call\",\"room_id\":\"a b\"}", BAD},
    {read_device, "{\"state\":\"Online\"}", BAD},
    {read_device, "{\"state\":true}", BAD},
    {read_ring_answer, "{\"request\":\"q\",\"answer\":\"busy\"}", OK},
    {read_ring_answer, "{\"request\":\"q\",\"answer\":\"maybe\"}", BAD},
    {read_roomd, "{\"state\":\"draining\",\"version\":\"0.1\",\"epoch\":\"e\"}", OK},
    {read_roomd, "{\"state\":\"online\",\"version\":\"0.1\"}", BAD},
    {read_roomd,
     "{\"state\":\"online\",\"version\":\"12345678901234567890123456789012\",\"epoch\":\"e\"}",
     BAD},
    {read_exists, "{\"exists\":true}", OK},
    {read_exists, "{\"exists\":false,\"new\":1}", OK},
    {read_exists, "{\"exists\":\"true\"}", BAD},
    {read_exists, "{}", BAD},

    {read_http_room, "", OK},
    {read_http_room, "{}", OK},
    {read_http_room, "{\"room_id\":\"kitchen\"}", OK},
    {read_http_room, "{\"room_id\":\"k k\"}", STATUS_BAD_ROOM_ID},
    {read_http_room, " ", BAD},
    {read_http_ring, "", OK},
    {read_http_ring, "{\"room_id\":\"k\",\"peer_name\":\"Ann\"}", OK},
    {read_http_ring, "{\"peer_name\":\" \"}", STATUS_BAD_PEER_NAME},
    {read_http_ring, "{\"room_id\":\"/\"}", STATUS_BAD_ROOM_ID},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct msg_fault fault;
        enum status status = rows[i].read(payload_of(rows[i].text), &fault);
        if (status != rows[i].status)
            fail_msg("%s: %s (%s)", rows[i].text, status_id(status), fault.why);
        assert_int_equal(fault.why[0] == '\0', status == OK);
        assert_int_equal(rows[i].read(payload_of(rows[i].text), NULL), status);
    }
}

/* Rule 10: what no decoder takes. */
static void test_nobody_takes_bad_json(void **state)
{
    static const struct payload bad[] = {
        {"", 1},
        {"[]", 2},
        {"null", 4},
        {"{\"a\":1,\"a\":2}", 13},
        {"{} {}", 5},
        {"{\"a\":\"\\u0000\"}", 14},
        {"{\"a\":\"\xff\"}", 9},
        {"{\"a\":[[[[[[[[]]]]]]]]}", 22},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t k = 0; k < sizeof readers / sizeof *readers; k++) {
            struct msg_fault fault;
            assert_int_equal(readers[k](bad[i], &fault), BAD);
            assert_true(fault.why[0]);
        }
    }
}

static void test_size_is_checked_before_anything_else(void **state)
{
    char *text = malloc(OUTBOUND_MAX + 1);
    (void)state;
    assert_non_null(text);
    memset(text, '[', OUTBOUND_MAX + 1);
    for (size_t k = 0; k < sizeof readers / sizeof *readers; k++) {
        size_t max = readers[k] == read_room ? OUTBOUND_MAX : EVENT_PAYLOAD_MAX;
        struct msg_fault fault;
        assert_int_equal(readers[k]((struct payload){text, max + 1}, &fault), STATUS_TOO_LARGE);
        assert_int_equal(readers[k]((struct payload){text, max}, &fault), BAD);
    }
    free(text);
}

static void test_join_is_filled(void **state)
{
    struct msg_join join;
    char text[EVENT_PAYLOAD_MAX], seat[SEAT_MAX + 2];
    (void)state;
    assert_int_equal(
        msg_decode_join(payload_of("{\"session\":\"s1\",\"peer_name\":\"\\u00a0A \\\" b\\n"
                                   "\",\"seat\":\"h.p.s\"}"),
                        &join, NULL),
        OK);
    assert_string_equal(join.session, "s1");
    assert_string_equal(join.peer_name, "A \" b");
    assert_string_equal(join.seat, "h.p.s");

    /* The longest seat is kept, a longer one counts as none. */
    for (size_t len = SEAT_MAX; len <= SEAT_MAX + 1; len++) {
        memset(seat, 's', len);
        seat[len] = '\0';
        snprintf(text, sizeof text, "{\"session\":\"s1\",\"peer_name\":\"A\",\"seat\":\"%s\"}",
                 seat);
        assert_int_equal(msg_decode_join(payload_of(text), &join, NULL), OK);
        assert_string_equal(join.seat, len > SEAT_MAX ? "" : seat);
    }
}

/* The asker of a room with a bad id can be told which of its requests it was. */
static void test_request_is_known_before_the_room_id(void **state)
{
    struct msg_create_room create;
    (void)state;
    assert_int_equal(msg_decode_create_room(payload_of("{\"room_id\":\"a b\",\"request\":\"q1\"}"),
                                            &create, NULL),
                     STATUS_BAD_ROOM_ID);
    assert_string_equal(create.request, "q1");
    assert_string_equal(create.room_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nobody_takes_bad_json),
        cmocka_unit_test(test_size_is_checked_before_anything_else),
        cmocka_unit_test(test_join_is_filled),
        cmocka_unit_test(test_request_is_known_before_the_room_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
