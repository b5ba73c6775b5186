#include "check.h"

#include "httpd/room_states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pending pending;
static struct room_states states;

struct asker {
    struct waiter waiter;
    int calls;
    enum answer_kind kind;
    uint64_t rev; /* ANSWER_ROOM */
    int64_t at;
    const char *then; /* the room to ask for next; NULL = none */
};

static int start(void **state)
{
    (void)state;
    pending_init(&pending);
    room_states_init(&states, &pending);
    return 0;
}

static void on_done(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct asker *asker = waiter->ctx;
    asker->calls++;
    asker->kind = answer->kind;
    asker->rev = answer->kind == ANSWER_ROOM ? answer->room->rev : 0;
    asker->at = now;
    if (asker->then)
        assert_int_equal(room_states_wait(&states, asker->then, waiter), STATUS_OK);
    asker->then = NULL;
}

static void ask(struct asker *asker, unsigned broker, const char *room_id, int64_t deadline)
{
    *asker = (struct asker){
        .waiter = {.broker = broker, .deadline = deadline, .done = on_done, .ctx = asker}};
    assert_int_equal(room_states_wait(&states, room_id, &asker->waiter), STATUS_OK);
    assert_true(room_states_is_asked(&states, broker, room_id));
}

static void answer(unsigned broker, const char *room_id, uint64_t rev)
{
    const struct msg_room room = {.rev = rev};
    const struct answer with = {.kind = ANSWER_ROOM, .room = &room};
    room_states_answer(&states, broker, room_id, &with, 7);
}

static void all_who_ask_are_answered_once(void **state)
{
    struct asker a, b, elsewhere, other;
    (void)state;
    assert_false(room_states_is_asked(&states, 0, "r1"));
    ask(&a, 0, "r1", 100);
    ask(&b, 0, "r1", 200);
    ask(&elsewhere, 1, "r1", 100);
    ask(&other, 0, "r2", 100);
    assert_int_equal(pending.count, 3);
    answer(0, "r1", 5);
    answer(0, "r1", 6);
    answer(0, "unasked", 6);
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 1);
    assert_int_equal(a.kind, ANSWER_ROOM);
    assert_int_equal(b.rev, 5);
    assert_int_equal(b.at, 7);
    assert_int_equal(elsewhere.calls + other.calls, 0);
    assert_false(room_states_is_asked(&states, 0, "r1"));
    assert_true(room_states_is_asked(&states, 1, "r1"));
    answer(1, "r1", 8);
    room_states_answer(&states, 0, "r2", &(struct answer){.kind = ANSWER_NO_ROOM}, 7);
    assert_int_equal(elsewhere.rev, 8);
    assert_int_equal(other.kind, ANSWER_NO_ROOM);
    assert_int_equal(pending.count, 0);
}

/* Those who came later do not wait longer than the question. */
static void the_deadline_is_the_first_ones(void **state)
{
    struct asker a, b, c;
    (void)state;
    ask(&a, 0, "r1", 100);
    ask(&b, 0, "r1", 200);
    assert_int_equal(pending_sweep(&pending, 99), 100);
    assert_int_equal(a.calls, 0);
    assert_int_equal(pending_sweep(&pending, 100), INT64_MAX);
    assert_int_equal(a.calls + b.calls, 2);
    assert_int_equal(b.kind, ANSWER_NONE);
    assert_false(room_states_is_asked(&states, 0, "r1"));
    /* The next question is a new one. */
    ask(&c, 0, "r1", 300);
    answer(0, "r1", 1);
    assert_int_equal(c.kind, ANSWER_ROOM);
}

static void a_broker_is_lost(void **state)
{
    struct asker a, b, other;
    (void)state;
    ask(&a, 0, "r1", 100);
    ask(&b, 0, "r1", 100);
    ask(&other, 1, "r1", 100);
    pending_lose(&pending, 0, 3);
    assert_int_equal(a.calls + b.calls, 2);
    assert_int_equal(a.kind, ANSWER_NONE);
    assert_int_equal(other.calls, 0);
    pending_end(&pending, 4);
    assert_int_equal(other.calls, 1);
    assert_null(states.questions);
}

/* An answer may be what makes its asker ask again. */
static void asking_again(void **state)
{
    struct asker a, b;
    (void)state;
    ask(&a, 0, "r1", 100);
    ask(&b, 0, "r1", 100);
    a.then = b.then = "r1";
    answer(0, "r1", 1);
    assert_int_equal(a.calls + b.calls, 2);
    assert_int_equal(pending.count, 1);
    answer(0, "r1", 2);
    assert_int_equal(a.calls + b.calls, 4);
    assert_int_equal(b.rev, 2);
}

static void too_many(void **state)
{
    struct asker *askers = calloc(PENDING_MAX, sizeof *askers);
    struct asker one_more = {.waiter = {.done = on_done}};
    char room_id[16];
    (void)state;
    assert_non_null(askers);
    for (int i = 0; i < PENDING_MAX; i++) {
        snprintf(room_id, sizeof room_id, "room-%d", i);
        ask(&askers[i], 0, room_id, 100);
    }
    assert_int_equal(room_states_wait(&states, "r1", &one_more.waiter), STATUS_UNAVAILABLE);
    assert_false(room_states_is_asked(&states, 0, "r1"));
    pending_end(&pending, 1);
    assert_int_equal(one_more.calls, 0);
    assert_null(states.questions);
    free(askers);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(all_who_ask_are_answered_once),
        TEST(the_deadline_is_the_first_ones),
        TEST(a_broker_is_lost),
        TEST(asking_again),
        TEST(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
