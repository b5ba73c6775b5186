#include "check.h"

#include "httpd/pending.h"

#include <stdlib.h>
#include <string.h>

struct asker {
    struct waiter waiter;
    struct pending *pending;
    int calls;
    enum answer_kind kind;
    int64_t at;
    int64_t ask_again_until; /* 0 = once is enough */
};

static void on_done(struct waiter *waiter, const struct answer *answer, int64_t now)
{
    struct asker *asker = waiter->ctx;
    asker->calls++;
    asker->kind = answer->kind;
    asker->at = now;
    if (asker->ask_again_until) {
        waiter->deadline = asker->ask_again_until;
        asker->ask_again_until = 0;
        assert_int_equal(pending_add(asker->pending, waiter), STATUS_OK);
    }
}

static void ask(struct pending *pending, struct asker *asker, unsigned broker, const char *device,
                int64_t deadline)
{
    *asker = (struct asker){.pending = pending};
    asker->waiter =
        (struct waiter){.broker = broker, .deadline = deadline, .done = on_done, .ctx = asker};
    strcpy(asker->waiter.device, device);
    assert_int_equal(pending_add(pending, &asker->waiter), STATUS_OK);
    assert_true(id_is_valid(asker->waiter.request, strlen(asker->waiter.request)));
}

static void answers(void **state)
{
    const struct answer created = {.kind = ANSWER_ROOM_CREATED};
    struct pending pending;
    struct asker a, b;
    char request[REQUEST_ID_MAX + 1];
    (void)state;
    pending_init(&pending);
    ask(&pending, &a, 0, "", 100);
    ask(&pending, &b, 0, "", 100);
    assert_string_not_equal(a.waiter.request, b.waiter.request);
    strcpy(request, a.waiter.request);
    pending_answer(&pending, "nobody", &created, 5);
    pending_answer(&pending, "", &created, 5);
    assert_int_equal(a.calls + b.calls, 0);
    pending_answer(&pending, request, &created, 5);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.kind, ANSWER_ROOM_CREATED);
    assert_int_equal(a.at, 5);
    /* A duplicate delivery finds nobody. */
    pending_answer(&pending, request, &created, 6);
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 0);
    assert_int_equal(pending.count, 1);
    pending_remove(&pending, &b.waiter);
    pending_remove(&pending, &b.waiter);
    assert_int_equal(pending.count, 0);
    assert_int_equal(pending_sweep(&pending, 1000), INT64_MAX);
    assert_int_equal(b.calls, 0);
}

/* Only the one that was asked can answer. */
static void answers_of_others(void **state)
{
    const struct answer mine = {.kind = ANSWER_RING, .device = "d-door"};
    const struct answer others = {.kind = ANSWER_RING, .device = "d-other"};
    const struct answer roomds = {.kind = ANSWER_LOBBY_ERROR};
    struct pending pending;
    struct asker a, b;
    char request[REQUEST_ID_MAX + 1];
    (void)state;
    pending_init(&pending);
    ask(&pending, &a, 0, "d-door", 100);
    strcpy(request, a.waiter.request);
    pending_answer(&pending, request, &others, 1);
    pending_answer(&pending, request, &roomds, 1);
    assert_int_equal(a.calls, 0);
    pending_answer(&pending, request, &mine, 1);
    assert_int_equal(a.calls, 1);
    ask(&pending, &b, 0, "", 100);
    strcpy(request, b.waiter.request);
    pending_answer(&pending, request, &mine, 1);
    assert_int_equal(b.calls, 0);
    pending_answer(&pending, request, &roomds, 1);
    assert_int_equal(b.calls, 1);
}

static void deadlines(void **state)
{
    static const int64_t at[] = {50, 20, 90, 20, 10, 60};
    struct asker askers[ROWS(at)];
    struct pending pending;
    (void)state;
    pending_init(&pending);
    assert_int_equal(pending_sweep(&pending, 0), INT64_MAX);
    for (size_t i = 0; i < ROWS(at); i++)
        ask(&pending, &askers[i], 0, "", at[i]);
    assert_int_equal(pending_sweep(&pending, 9), 10);
    assert_int_equal(pending_sweep(&pending, 10), 20);
    assert_int_equal(askers[4].calls, 1);
    assert_int_equal(askers[4].kind, ANSWER_NONE);
    assert_int_equal(pending_sweep(&pending, 59), 60);
    for (size_t i = 0; i < ROWS(at); i++)
        assert_int_equal(askers[i].calls, at[i] < 60);
    assert_int_equal(pending_sweep(&pending, 90), INT64_MAX);
    assert_int_equal(pending.count, 0);
}

/* A ring asks twice: for a room, then the device. */
static void asking_again(void **state)
{
    const struct answer created = {.kind = ANSWER_ROOM_CREATED};
    struct pending pending;
    struct asker asker;
    char first[REQUEST_ID_MAX + 1];
    (void)state;
    pending_init(&pending);
    ask(&pending, &asker, 0, "", 100);
    asker.ask_again_until = 500;
    strcpy(first, asker.waiter.request);
    pending_answer(&pending, first, &created, 7);
    assert_int_equal(asker.calls, 1);
    assert_int_equal(pending.count, 1);
    assert_string_not_equal(asker.waiter.request, first);
    assert_int_equal(pending_sweep(&pending, 499), 500);
    pending_sweep(&pending, 500);
    assert_int_equal(asker.calls, 2);
}

static void a_broker_is_lost(void **state)
{
    struct pending pending;
    struct asker a, b, c;
    (void)state;
    pending_init(&pending);
    ask(&pending, &a, 0, "", 100);
    ask(&pending, &b, 1, "", 50);
    ask(&pending, &c, 0, "d-door", 20);
    pending_lose(&pending, 0, 3);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.kind, ANSWER_NONE);
    assert_int_equal(a.at, 3);
    assert_int_equal(b.calls, 0);
    assert_int_equal(c.calls, 1);
    assert_int_equal(pending.count, 1);
    pending_end(&pending, 4);
    assert_int_equal(b.calls, 1);
    assert_int_equal(pending.count, 0);
}

static void too_many(void **state)
{
    struct asker *askers = calloc(PENDING_MAX, sizeof *askers);
    struct asker one_more = {.waiter = {.done = on_done}};
    struct pending pending;
    (void)state;
    assert_non_null(askers);
    pending_init(&pending);
    for (int i = 0; i < PENDING_MAX; i++)
        ask(&pending, &askers[i], 0, "", i);
    assert_int_equal(pending_add(&pending, &one_more.waiter), STATUS_UNAVAILABLE);
    assert_string_equal(one_more.waiter.request, "");
    pending_remove(&pending, &one_more.waiter);
    assert_int_equal(pending_sweep(&pending, PENDING_MAX), INT64_MAX);
    assert_int_equal(pending_add(&pending, &one_more.waiter), STATUS_OK);
    pending_remove(&pending, &one_more.waiter);
    free(askers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),          cmocka_unit_test(answers_of_others),
        cmocka_unit_test(deadlines),        cmocka_unit_test(asking_again),
        cmocka_unit_test(a_broker_is_lost), cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
