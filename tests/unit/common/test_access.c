/*
 * The access table, row by row, and what must never pass.
 */
#include "common/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S ACCESS_SUBSCRIBE
#define R ACCESS_READ
#define W ACCESS_WRITE

#define YES     ACCESS_ALLOWED
#define NO      ACCESS_DENIED
#define OUTSIDE ACCESS_NOT_A_MEMBER

static const struct access_who peer = {ROLE_PEER, "p-ada", "kitchen"};
static const struct access_who device = {ROLE_DEVICE, "d-door", ""};
static const struct access_who roomd = {ROLE_SERVICE, "s-roomd-1", ""};
static const struct access_who httpd = {ROLE_SERVICE, "s-httpd", ""};
static const struct access_who stranger = {ROLE_SERVICE, "s-other", ""};
static const struct access_who overseer = {ROLE_OPERATOR, "o-ann", ""};
static const struct access_who nobody = {ROLE_NONE, "p-ada", "kitchen"};

/* In the kitchen sit p-ada and p-bob, in the hall d-door and p-bob. */
static bool is_member(void *ctx, const char *room, const char *peer_id)
{
    (void)ctx;
    if (strcmp(room, "kitchen") == 0)
        return strcmp(peer_id, "p-ada") == 0 || strcmp(peer_id, "p-bob") == 0;
    return strcmp(room, "hall") == 0 &&
           (strcmp(peer_id, "d-door") == 0 || strcmp(peer_id, "p-bob") == 0);
}

struct row {
    const struct access_who *who;
    enum access_op op;
    const char *name; /* below parley/v1/ */
    enum access_answer answer;
};

static const struct row rows[] = {
    /* peer: its own room and inbox */
    {&peer, S, "rooms/kitchen/state", YES},
    {&peer, R, "rooms/kitchen/state", YES},
    {&peer, S, "rooms/kitchen/to/p-ada/#", YES},
    {&peer, S, "rooms/kitchen/to/p-ada/joined", YES},
    {&peer, S, "rooms/kitchen/to/p-ada/offer/+", YES},
    {&peer, S, "rooms/kitchen/to/p-ada/+/p-bob", YES},
    {&peer, S, "rooms/kitchen/to/p-ada/+", YES},
    {&peer, R, "rooms/kitchen/to/p-ada/joined", YES},
    {&peer, R, "rooms/kitchen/to/p-ada/error", YES},
    {&peer, R, "rooms/kitchen/to/p-ada/cut-the-call", YES},
    {&peer, S, "roomd/status", YES},
    {&peer, R, "roomd/status", YES},
    {&peer, W, "rooms/kitchen/from/p-ada/join", YES},
    {&peer, W, "rooms/kitchen/from/p-ada/cut-the-call", YES},
    {&peer, W, "rooms/kitchen/from/p-ada/gone", YES},
    /* and nothing else */
    {&peer, S, "#", NO},
    {&peer, S, "rooms/#", NO},
    {&peer, S, "rooms/kitchen/#", NO},
    {&peer, S, "rooms/+/state", NO},
    {&peer, S, "rooms/hall/state", NO},
    {&peer, R, "rooms/hall/state", NO},
    {&peer, S, "rooms/kitchen/to/#", NO},
    {&peer, S, "rooms/kitchen/to/+/joined", NO},
    {&peer, S, "rooms/kitchen/to/p-bob/#", NO},
    {&peer, S, "rooms/kitchen/+/p-ada/#", NO},
    {&peer, S, "+/kitchen/state", NO},
    {&peer, S, "rooms/+/to/p-ada/#", NO},
    {&peer, R, "rooms/kitchen/to/p-bob/joined", NO},
    {&peer, R, "rooms/hall/to/p-ada/joined", NO},
    {&peer, S, "rooms/kitchen/from/p-ada/#", NO},
    {&peer, R, "rooms/kitchen/from/p-ada/join", NO},
    {&peer, S, "roomd/#", NO},
    {&peer, S, "roomd/stats", NO},
    {&peer, R, "roomd/stats", NO},
    {&peer, S, "devices/d-door/status", NO},
    {&peer, W, "rooms/kitchen/from/p-bob/cut-the-call", NO},
    {&peer, W, "rooms/hall/from/p-ada/join", NO},
    {&peer, W, "rooms/kitchen/state", NO},
    {&peer, W, "rooms/kitchen/to/p-bob/joined", NO},
    {&peer, W, "rooms/kitchen/to/p-ada/joined", NO},
    {&peer, W, "rooms/kitchen/to/p-bob/cut-the-call", NO},
    {&peer, W, "roomd/status", NO},
    {&peer, W, "lobby/from/p-ada/create-room", NO},
    {&peer, W, "devices/d-door/ring", NO},
    {&peer, W, "devices/p-ada/status", NO},
    {&peer, W, "rooms/kitchen/from/p-ada/joined", NO},
    {&peer, W, "rooms/+/from/p-ada/join", NO},
    {&peer, W, "rooms/kitchen/from/p-ada/#", NO},
    /* what passes between members */
    {&peer, W, "rooms/kitchen/to/p-bob/offer/p-ada", YES},
    {&peer, W, "rooms/kitchen/to/p-bob/answer/p-ada", YES},
    {&peer, W, "rooms/kitchen/to/p-bob/candidate/p-ada", YES},
    {&peer, R, "rooms/kitchen/to/p-ada/offer/p-bob", YES},
    {&peer, R, "rooms/kitchen/to/p-ada/answer/p-bob", YES},
    {&peer, R, "rooms/kitchen/to/p-ada/candidate/p-bob", YES},
    {&peer, W, "rooms/kitchen/to/p-eve/offer/p-ada", OUTSIDE},
    {&peer, R, "rooms/kitchen/to/p-ada/offer/p-eve", OUTSIDE},
    {&peer, R, "rooms/kitchen/to/p-ada/answer/p-eve", OUTSIDE},
    {&peer, R, "rooms/kitchen/to/p-ada/candidate/p-eve", OUTSIDE},
    {&peer, W, "rooms/kitchen/to/p-bob/offer/p-eve", NO},
    {&peer, W, "rooms/kitchen/to/p-ada/offer/p-ada", NO},
    {&peer, W, "rooms/kitchen/to/p-ada/offer/p-bob", NO},
    {&peer, W, "rooms/hall/to/p-bob/offer/p-ada", NO},
    {&peer, W, "rooms/kitchen/to/p-bob/offer/+", NO},

    /* device: the same in any room, its own topics, the lobby */
    {&device, S, "rooms/+/to/d-door/#", YES},
    {&device, S, "rooms/+/to/d-door/joined", YES},
    {&device, S, "rooms/hall/to/d-door/#", YES},
    {&device, S, "rooms/hall/state", YES},
    {&device, R, "rooms/hall/state", YES},
    {&device, R, "rooms/hall/to/d-door/joined", YES},
    {&device, S, "roomd/status", YES},
    {&device, S, "devices/d-door/#", YES},
    {&device, R, "devices/d-door/ring", YES},
    {&device, S, "lobby/to/d-door/#", YES},
    {&device, R, "lobby/to/d-door/room-created", YES},
    {&device, W, "rooms/hall/from/d-door/join", YES},
    {&device, W, "rooms/hall/to/p-bob/offer/d-door", YES},
    {&device, R, "rooms/hall/to/d-door/offer/p-bob", YES},
    {&device, W, "rooms/kitchen/to/p-bob/offer/d-door", OUTSIDE},
    {&device, R, "rooms/kitchen/to/d-door/offer/p-bob", OUTSIDE},
    {&device, W, "devices/d-door/status", YES},
    {&device, W, "devices/d-door/ring-answer", YES},
    {&device, W, "devices/d-door/call", YES},
    {&device, W, "lobby/from/d-door/create-room", YES},
    {&device, S, "rooms/+/state", NO},
    {&device, S, "rooms/+/to/+/#", NO},
    {&device, S, "rooms/+/to/p-bob/#", NO},
    {&device, S, "rooms/#", NO},
    {&device, S, "+/+/to/d-door/#", NO},
    {&device, S, "devices/+/status", NO},
    {&device, S, "devices/d-gate/#", NO},
    {&device, S, "lobby/to/#", NO},
    {&device, S, "lobby/from/d-door/#", NO},
    {&device, S, "roomd/#", NO},
    {&device, W, "devices/d-gate/status", NO},
    {&device, W, "devices/d-door/ring", NO},
    {&device, W, "lobby/from/d-gate/create-room", NO},
    {&device, W, "rooms/hall/from/p-bob/join", NO},
    {&device, W, "rooms/hall/state", NO},

    /* services */
    {&roomd, S, "#", YES},
    {&roomd, S, "rooms/+/from/#", YES},
    {&roomd, R, "rooms/kitchen/to/p-ada/offer/p-eve", YES},
    {&roomd, R, "devices/d-door/ring", YES},
    {&roomd, W, "rooms/kitchen/state", YES},
    {&roomd, W, "rooms/kitchen/to/p-ada/joined", YES},
    {&roomd, W, "roomd/stats", YES},
    {&roomd, W, "rooms/kitchen/nonsense", NO},
    {&httpd, S, "rooms/+/state", YES},
    {&httpd, S, "rooms/kitchen/state", YES},
    {&httpd, S, "devices/+/status", YES},
    {&httpd, S, "devices/+/ring-answer", YES},
    {&httpd, S, "roomd/#", YES},
    {&httpd, S, "roomd/status", YES},
    {&httpd, S, "lobby/to/s-httpd/#", YES},
    {&httpd, R, "lobby/to/s-httpd/error", YES},
    {&httpd, R, "roomd/rooms/kitchen", YES},
    {&peer, R, "roomd/rooms/kitchen", NO},
    {&device, R, "roomd/rooms/kitchen", NO},
    {&httpd, R, "rooms/kitchen/state", YES},
    {&httpd, W, "lobby/from/s-httpd/create-room", YES},
    {&httpd, W, "devices/d-door/ring", YES},
    {&httpd, S, "#", NO},
    {&httpd, S, "rooms/#", NO},
    {&httpd, S, "rooms/+/to/p-ada/#", NO},
    {&httpd, R, "rooms/kitchen/to/p-ada/joined", NO},
    {&httpd, R, "devices/d-door/call", NO},
    {&httpd, W, "rooms/kitchen/state", NO},
    {&httpd, W, "lobby/from/s-roomd/create-room", NO},
    {&httpd, W, "devices/d-door/status", NO},
    {&stranger, S, "roomd/status", NO},
    {&stranger, R, "rooms/kitchen/state", NO},
    {&stranger, W, "rooms/kitchen/state", NO},

    /* operator */
    {&overseer, S, "#", YES},
    {&overseer, S, "devices/+/call", YES},
    {&overseer, R, "roomd/stats", YES},
    {&overseer, R, "rooms/kitchen/to/p-ada/offer/p-bob", YES},
    {&overseer, W, "devices/d-door/ring", YES},
    {&overseer, W, "rooms/kitchen/state", NO},
    {&overseer, W, "rooms/kitchen/from/p-ada/cut-the-call", NO},
    {&overseer, W, "roomd/status", NO},

    {&nobody, S, "rooms/kitchen/state", NO},
    {&nobody, R, "rooms/kitchen/state", NO},
    {&nobody, W, "rooms/kitchen/from/p-ada/join", NO},
};

static void test_rows(void **state)
{
    char name[TOPIC_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(name, sizeof name, TOPIC_ROOT "%s", rows[i].name);
        enum access_answer answer =
            access_decide(rows[i].who, rows[i].op, name, false, is_member, NULL);
        if (answer != rows[i].answer)
            fail_msg("%s, op %d, %s: %d", rows[i].who->peer_id, rows[i].op, name, answer);
    }
}

/* Names that nobody may use, not even those who may everything below parley/v1/. */
static void test_never(void **state)
{
    static const char *const names[] = {
        "",
        "#",
        "+/#",
        "parley/#",
        "parley/+/#",
        "parley/v1",
        "parley/v2/#",
        "/parley/v1/#",
        "$SYS/#",
        "$SYS/broker/uptime",
        "$share/g/parley/v1/#",
        "$share/g/parley/v1/rooms/kitchen/state",
        "$queue/parley/v1/roomd/status",
        "parley/v1/a#",
        "parley/v1/+b",
        "parley/v1/#/x",
        "parley/v1/rooms/kitchen#",
        "parley/v1/rooms/kitchen/to/p-ada/#/x",
        "parley/v1/rooms/kitchen/to/p-ada/x#",
        "parley/v1/rooms/kitchen/to/p-ada/+x",
    };
    static const struct access_who *const everybody[] = {&peer,     &device,   &roomd, &httpd,
                                                         &stranger, &overseer, &nobody};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t who = 0; who < sizeof everybody / sizeof *everybody; who++) {
            for (enum access_op op = S; op <= W; op++) {
                if (access_decide(everybody[who], op, names[i], false, is_member, NULL) != NO)
                    fail_msg("%s, op %d, %s", everybody[who]->peer_id, op, names[i]);
            }
        }
    }
}

static void test_retain(void **state)
{
    static const struct row retained[] = {
        {&roomd, W, "rooms/kitchen/state", YES},
        {&roomd, W, "roomd/status", YES},
        {&roomd, W, "roomd/stats", YES},
        {&roomd, W, "devices/d-door/status", YES},
        {&roomd, W, "rooms/kitchen/to/p-ada/joined", NO},
        {&roomd, W, "devices/d-door/ring", NO},
        {&device, W, "devices/d-door/status", YES},
        {&device, W, "devices/d-door/call", NO},
        {&device, W, "rooms/hall/from/d-door/join", NO},
        {&device, W, "rooms/hall/to/p-bob/offer/d-door", NO},
        {&peer, W, "rooms/kitchen/from/p-ada/gone", NO},
        {&peer, W, "rooms/kitchen/to/p-bob/offer/p-ada", NO},
        {&httpd, W, "devices/d-door/ring", NO},
        {&httpd, W, "lobby/from/s-httpd/create-room", NO},
        {&overseer, W, "devices/d-door/ring", NO},
    };
    char name[TOPIC_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof retained / sizeof *retained; i++) {
        snprintf(name, sizeof name, TOPIC_ROOT "%s", retained[i].name);
        if (access_decide(retained[i].who, W, name, true, is_member, NULL) != retained[i].answer)
            fail_msg("%s, retained %s", retained[i].who->peer_id, name);
    }
}

static bool nobody_is(void *ctx, const char *room, const char *peer_id)
{
    (void)room;
    (void)peer_id;
    ++*(int *)ctx;
    return false;
}

/* Membership is asked for only where a row says so, and nobody counts as a member when there is
 * nobody to ask. */
static void test_membership_is_asked_where_it_matters(void **state)
{
    static const char offer[] = TOPIC_ROOT "rooms/kitchen/to/p-bob/offer/p-ada";
    int asked = 0;
    (void)state;
    assert_int_equal(
        access_decide(&peer, R, TOPIC_ROOT "rooms/kitchen/state", false, nobody_is, &asked), YES);
    assert_int_equal(access_decide(&roomd, W, offer, false, nobody_is, &asked), YES);
    assert_int_equal(asked, 0);
    assert_int_equal(access_decide(&peer, W, offer, false, nobody_is, &asked), OUTSIDE);
    assert_int_not_equal(asked, 0);
    assert_int_equal(access_decide(&peer, W, offer, false, NULL, NULL), OUTSIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_retain),
        cmocka_unit_test(test_membership_is_asked_where_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
