/* Messages in, messages out: what cannot be read is answered and counted, and what can be is
 * answered as the contract says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/messages.h"
#include "roomd/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct mailbox out;
static struct stats stats;
static struct replies replies;
static struct intake intake;
static struct keyring *keyring;

static struct keyring *new_keyring(void)
{
    char path[] = "/tmp/parley-keys-XXXXXX";
    char line[KEY_LINE_MAX + 1];
    char why[256] = "";
    struct keyring *keys = NULL;
    int fd = mkstemp(path); /* mode 0600 */
    assert_true(fd >= 0);
    key_line_generate(line);
    assert_int_equal(dprintf(fd, "%s\n", line), (int)strlen(line) + 1);
    close(fd);
    enum status status = keyring_load(path, &keys, why, sizeof(why));
    unlink(path);
    if (status != STATUS_OK) {
        fail_msg("%s", why);
    }
    return keys;
}

static bool owns(const void *owner, const char *room_id)
{
    (void)owner;
    return strcmp(room_id, "elsewhere") != 0;
}

static int start(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_WARN);
    keyring = new_keyring();
    memset(&stats, 0, sizeof(stats));
    replies = (struct replies){
        .out = &out, .stats = &stats, .keyring = keyring, .grace_s = 30, .wall_s = 1000};
    const struct rooms_options options = {.grace_ms = 30000,
                                          .ttl_ms = 86400000,
                                          .generate_id = room_id_generate,
                                          .owns = owns,
                                          .emit = replies_emit,
                                          .ctx = &replies};
    intake = (struct intake){
        .rooms = rooms_new(&options), .replies = &replies, .stats = &stats, .keyring = keyring};
    rooms_begin(intake.rooms);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rooms_free(intake.rooms);
    mailbox_clear(&out);
    keyring_free(keyring);
    return 0;
}

static void take_bytes(enum topic_kind kind, const char *room, const char *peer, const char *text,
                       size_t len)
{
    struct mailbox in = {0};
    struct topic topic = {.kind = kind};
    snprintf(topic.room, sizeof(topic.room), "%s", room);
    snprintf(topic.peer, sizeof(topic.peer), "%s", peer);
    assert_true(intake_wants(kind));
    mailbox_clear(&out);
    mailbox_add(&in, &topic, text, len);
    intake_take(&intake, in.first, 0);
    mailbox_clear(&in);
}

static void take(enum topic_kind kind, const char *room, const char *peer, const char *text)
{
    take_bytes(kind, room, peer, text, strlen(text));
}

/* The answers' topics and, for the payload of the nth, its text. */
static const char *topics(void)
{
    static char text[1024];
    text[0] = '\0';
    for (const struct mail *mail = out.first; mail != NULL; mail = mail->next) {
        char name[TOPIC_MAX + 1];
        assert_true(topic_format(&mail->topic, name));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
                 name + strlen(TOPIC_ROOT));
    }
    return text;
}

static const char *payload(unsigned n)
{
    const struct mail *mail = out.first;
    while (n-- > 0) {
        assert_non_null(mail);
        mail = mail->next;
    }
    assert_non_null(mail);
    return mail->payload;
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no %s in %s", part, text);
    }
}

static void a_call(void **state)
{
    (void)state;
    take(TOPIC_CREATE_ROOM, "", "s-httpd", "{\"request\":\"q1\",\"room_id\":\"r1\"}");
    assert_string_equal(topics(), "rooms/r1/state roomd/rooms/r1 lobby/to/s-httpd/room-created ");
    assert_string_equal(payload(1), "{\"exists\":true}");
    assert_string_equal(
        payload(2), "{\"request\":\"q1\",\"room_id\":\"r1\",\"path\":\"/r/r1/\",\"created\":true}");
    take(TOPIC_JOIN, "r1", "p-a", "{\"session\":\"s1\",\"peer_name\":\" Ann \"}");
    assert_string_equal(topics(), "rooms/r1/state rooms/r1/to/p-a/joined ");
    assert_contains(payload(0), "\"peer_name\":\"Ann\"");
    take(TOPIC_JOIN, "r1", "p-b", "{\"session\":\"t1\",\"peer_name\":\"Bob\"}");
    assert_string_equal(topics(),
                        "rooms/r1/state rooms/r1/to/p-b/joined rooms/r1/to/p-a/user-arrived ");
    assert_string_equal(payload(2),
                        "{\"peer_id\":\"p-b\",\"peer_name\":\"Bob\",\"resumed\":false}");
    take(TOPIC_JOIN, "r1", "p-c", "{\"session\":\"u1\",\"peer_name\":\"Cy\"}");
    assert_string_equal(topics(), "rooms/r1/to/p-c/full-room ");
    assert_string_equal(payload(0), "{\"session\":\"u1\",\"max_peers\":2}");
    take(TOPIC_GONE, "r1", "p-b", "{}");
    assert_string_equal(topics(), "rooms/r1/state rooms/r1/to/p-a/user-away ");
    assert_string_equal(payload(1), "{\"peer_id\":\"p-b\",\"grace_s\":30}");
    take(TOPIC_JOIN, "r1", "p-b", "{\"session\":\"t1\",\"peer_name\":\"Bob\"}");
    assert_contains(payload(1), "\"resumed\":true");
    take(TOPIC_CUT_REQUEST, "r1", "p-a", "{\"session\":\"s1\"}");
    assert_string_equal(topics(), "rooms/r1/state rooms/r1/to/p-b/cut-the-call ");
    assert_string_equal(payload(1), "{\"peer_id\":\"p-a\",\"reason\":\"hung-up\"}");
    assert_int_equal(stats.messages, 7);
    assert_int_equal(stats.joined, 2);
    assert_int_equal(stats.resumed, 1);
    assert_int_equal(stats.full_room, 1);
    assert_int_equal(stats.creates, 1);
}

static void bad_input_is_answered_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        enum topic_kind kind;
        const char *text;
        enum status error;
        const char *event;
    } rows[] = {
        {TOPIC_JOIN, "garbage", STATUS_BAD_REQUEST, "join"},
        {TOPIC_JOIN, "", STATUS_BAD_REQUEST, "join"},
        {TOPIC_JOIN, "{\"session\":\"s 1\",\"peer_name\":\"Ann\"}", STATUS_BAD_REQUEST, "join"},
        {TOPIC_JOIN, "{\"session\":\"s1\",\"session\":\"s2\",\"peer_name\":\"Ann\"}",
         STATUS_BAD_REQUEST, "join"},
        {TOPIC_JOIN, "{\"session\":\"s1\",\"peer_name\":\"  \"}", STATUS_BAD_PEER_NAME, "join"},
        {TOPIC_JOIN, "{\"session\":\"s1\",\"peer_name\":7}", STATUS_BAD_REQUEST, "join"},
        {TOPIC_CUT_REQUEST, "{}", STATUS_BAD_REQUEST, "cut-the-call"},
        {TOPIC_CUT_REQUEST, "[]", STATUS_BAD_REQUEST, "cut-the-call"},
        {TOPIC_GONE, "{\"session\":1}", STATUS_BAD_REQUEST, "gone"},
    };
    take(TOPIC_CREATE_ROOM, "", "s-httpd", "{\"request\":\"q1\",\"room_id\":\"r1\"}");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char part[64];
        uint64_t counted = stats.errors[rows[i].error];
        take(rows[i].kind, "r1", "p-a", rows[i].text);
        assert_string_equal(topics(), "rooms/r1/to/p-a/error ");
        snprintf(part, sizeof(part), "\"error\":\"%s\"", status_id(rows[i].error));
        assert_contains(payload(0), part);
        snprintf(part, sizeof(part), "\"event\":\"%s\"", rows[i].event);
        assert_contains(payload(0), part);
        assert_int_equal(stats.errors[rows[i].error], counted + 1);
    }
    struct room room;
    assert_true(rooms_get(intake.rooms, "r1", &room));
    assert_int_equal(room.rev, 1);
}

static void too_large(void **state)
{
    (void)state;
    static char text[EVENT_PAYLOAD_MAX + 2];
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"session\":\"s1\",\"peer_name\":\"A\"}", 33);
    take_bytes(TOPIC_JOIN, "r1", "p-a", text, EVENT_PAYLOAD_MAX + 1);
    assert_contains(payload(0), "\"error\":\"too-large\"");
    take_bytes(TOPIC_CREATE_ROOM, "", "s-httpd", text, EVENT_PAYLOAD_MAX + 1);
    assert_contains(payload(0), "\"error\":\"too-large\"");
}

static void lobby_errors_name_the_request(void **state)
{
    (void)state;
    take(TOPIC_CREATE_ROOM, "", "d-door", "{\"request\":\"q1\",\"room_id\":\"a/b\"}");
    assert_string_equal(topics(), "lobby/to/d-door/error ");
    assert_contains(payload(0), "\"request\":\"q1\"");
    assert_contains(payload(0), "\"error\":\"bad-room-id\"");
    take(TOPIC_CREATE_ROOM, "", "d-door", "nonsense");
    assert_contains(payload(0), "\"request\":\"\"");
    assert_contains(payload(0), "\"error\":\"bad-request\"");
    take(TOPIC_CREATE_ROOM, "", "d-door", "{\"request\":\"q2\",\"room_id\":\"r1\"}");
    take(TOPIC_JOIN, "r1", "p-a", "{\"session\":\"s1\",\"peer_name\":\"Ann\"}");
    take(TOPIC_CREATE_ROOM, "", "d-door", "{\"request\":\"q3\",\"room_id\":\"r1\"}");
    assert_contains(payload(0), "\"error\":\"room-occupied\"");
    take(TOPIC_CREATE_ROOM, "", "d-1", "{\"request\":\"q1\",\"room_id\":\"elsewhere\"}");
    assert_string_equal(payload(0), "{\"request\":\"q1\",\"error\":\"bad-room-id\",\"detail\":"
                                    "\"A room of that id belongs to another broker.\"}");
}

static void join_to_no_room(void **state)
{
    (void)state;
    take(TOPIC_JOIN, "r1", "p-a", "{\"session\":\"s1\",\"peer_name\":\"Ann\"}");
    assert_string_equal(topics(), "rooms/r1/to/p-a/error ");
    assert_contains(payload(0), "\"error\":\"no-such-room\"");
    assert_contains(payload(0), "\"event\":\"join\"");
    assert_int_equal(stats.errors[STATUS_NO_SUCH_ROOM], 1);
    take(TOPIC_CUT_REQUEST, "r1", "p-a", "{\"session\":\"s1\"}");
    assert_string_equal(topics(), "");
}

static void join_with_seat(const char *room, const char *peer, const char *session,
                           const struct seat_claims *claims)
{
    char seat[SEAT_MAX + 1];
    char text[EVENT_PAYLOAD_MAX];
    assert_int_equal(seat_sign(keyring, claims, seat), STATUS_OK);
    snprintf(text, sizeof(text), "{\"session\":\"%s\",\"peer_name\":\"Ann\",\"seat\":\"%s\"}",
             session, seat);
    take(TOPIC_JOIN, room, peer, text);
}

static void seats(void **state)
{
    (void)state;
    struct seat_claims claims = {
        .peer_id = "p-a", .session = "s1", .room = "r1", .rev = 41, .issued_at = 900};
    join_with_seat("r1", "p-b", "s1", &claims);
    assert_contains(payload(0), "\"error\":\"no-such-room\"");
    join_with_seat("r2", "p-a", "s1", &claims);
    assert_contains(payload(0), "\"error\":\"no-such-room\"");
    take(TOPIC_JOIN, "r1", "p-a",
         "{\"session\":\"s1\",\"peer_name\":\"Ann\",\"seat\":\"e30.e30.x\"}");
    assert_contains(payload(0), "\"error\":\"no-such-room\"");
    join_with_seat("r1", "p-a", "s1", &claims);
    assert_string_equal(topics(), "rooms/r1/state roomd/rooms/r1 rooms/r1/to/p-a/joined ");
    assert_contains(payload(0), "\"rev\":42");
    assert_string_equal(payload(1), "{\"exists\":true}");
    assert_contains(payload(2), "\"resumed\":true");
    take(TOPIC_JOIN, "r1", "p-c", "{\"session\":\"u1\",\"peer_name\":\"Cy\"}");
    assert_contains(payload(0), "\"error\":\"unavailable\"");
    assert_contains(payload(0), "\"retry_s\":30");
    strcpy(claims.peer_id, "p-b");
    join_with_seat("r1", "p-b", "t2", &claims); /* a reload's seat names the session before */
    assert_contains(payload(1), "\"resumed\":false");
}

static void a_given_seat_verifies(void **state)
{
    (void)state;
    take(TOPIC_CREATE_ROOM, "", "s-httpd", "{\"request\":\"q1\",\"room_id\":\"r1\"}");
    take(TOPIC_JOIN, "r1", "p-a", "{\"session\":\"s1\",\"peer_name\":\"Ann\"}");
    const char *seat = strstr(payload(1), "\"seat\":\"");
    assert_non_null(seat);
    seat += strlen("\"seat\":\"");
    struct seat_claims claims;
    assert_int_equal(seat_verify(keyring, seat, strcspn(seat, "\""), &claims), STATUS_OK);
    assert_string_equal(claims.peer_id, "p-a");
    assert_string_equal(claims.session, "s1");
    assert_string_equal(claims.room, "r1");
    assert_int_equal(claims.rev, 2);
    assert_int_equal(claims.issued_at, 1000);
}

static void a_room_ends(void **state)
{
    (void)state;
    take(TOPIC_CREATE_ROOM, "", "s-httpd", "{\"request\":\"q1\",\"room_id\":\"r1\"}");
    mailbox_clear(&out);
    rooms_time(intake.rooms, rooms_deadline(intake.rooms), 1);
    assert_string_equal(topics(), "rooms/r1/state roomd/rooms/r1 ");
    assert_int_equal(out.first->len, 0);
    assert_string_equal(payload(1), "{\"exists\":false}");
    assert_int_equal(stats.closes, 1);
}

static void stats_are_told(void **state)
{
    (void)state;
    char text[OUTBOUND_MAX];
    take(TOPIC_JOIN, "r1", "p-a", "{}");
    assert_true(stats_encode(&stats, rooms_count(intake.rooms), true, 12, text, sizeof(text)) > 0);
    assert_contains(text, "\"uptime_s\":12");
    assert_contains(text, "\"store_ok\":true");
    assert_contains(text, "\"joins\":1");
    assert_contains(text, "\"errors\":{\"bad-request\":1}");
}

static void only_events_are_wanted(void **state)
{
    (void)state;
    for (int kind = TOPIC_NONE; kind < TOPIC_KIND_COUNT; kind++) {
        assert_int_equal(intake_wants((enum topic_kind)kind),
                         kind == TOPIC_JOIN || kind == TOPIC_CUT_REQUEST || kind == TOPIC_GONE ||
                             kind == TOPIC_CREATE_ROOM);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_call),
        TEST(bad_input_is_answered_and_changes_nothing),
        TEST(too_large),
        TEST(lobby_errors_name_the_request),
        TEST(join_to_no_room),
        TEST(seats),
        TEST(a_given_seat_verifies),
        TEST(a_room_ends),
        TEST(stats_are_told),
        TEST(only_events_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
