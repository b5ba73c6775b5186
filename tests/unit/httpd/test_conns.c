#include "check.h"

#include "httpd/conns.h"

static void a_dripping_client_is_cut(void **state)
{
    struct conns conns;
    (void)state;
    conns_init(&conns);
    assert_int_equal(conns_deadline(&conns), INT64_MAX);
    struct conn *slow = conns_add(&conns, 5, 1000);
    struct conn *later = conns_add(&conns, 6, 2000);
    assert_int_equal(conns_deadline(&conns), 1000 + CONNS_RECEIVE_MS);
    assert_null(conns_expire(&conns, 1000 + CONNS_RECEIVE_MS - 1));
    assert_ptr_equal(conns_expire(&conns, 1000 + CONNS_RECEIVE_MS), slow);
    /* Told once; nothing brings it back. */
    assert_null(conns_expire(&conns, 1000 + CONNS_RECEIVE_MS));
    conns_move(&conns, slow, CONNS_ANSWER, 1000 + CONNS_RECEIVE_MS);
    assert_int_equal(slow->deadline, INT64_MAX);
    assert_int_equal(conns_deadline(&conns), 2000 + CONNS_RECEIVE_MS);
    assert_int_equal(conns.count, 2);
    conns_remove(&conns, slow);
    conns_remove(&conns, later);
    conns_remove(&conns, NULL);
    assert_int_equal(conns.count, 0);
    assert_int_equal(conns_deadline(&conns), INT64_MAX);
}

static void an_honest_client_is_not(void **state)
{
    struct conns conns;
    int64_t now = 0;
    (void)state;
    conns_init(&conns);
    struct conn *conn = conns_add(&conns, 5, now);
    for (int i = 0; i < 100; i++) {
        now += CONNS_RECEIVE_MS - 1;
        assert_null(conns_expire(&conns, now));
        conns_move(&conns, conn, CONNS_ANSWER, now);
        now += CONNS_ANSWER_MS - 1;
        assert_null(conns_expire(&conns, now));
        conns_move(&conns, conn, CONNS_RECEIVE, now);
    }
    conns_move(&conns, conn, CONNS_ANSWER, now);
    assert_ptr_equal(conns_expire(&conns, now + CONNS_ANSWER_MS), conn);
    conns_remove(&conns, conn);
}

/* 500 clients that send a byte now and then are all gone at their own deadline. */
static void a_crowd(void **state)
{
    enum { CROWD = 500 };
    struct conns conns;
    struct conn *crowd[CROWD];
    int gone = 0;
    (void)state;
    conns_init(&conns);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = conns_add(&conns, i, i);
    for (int i = 0; i < CROWD; i++) {
        while (conns_expire(&conns, CONNS_RECEIVE_MS + i))
            gone++;
        assert_int_equal(gone, i + 1);
    }
    assert_int_equal(conns.count, CROWD);
    for (int i = 0; i < CROWD; i++)
        conns_remove(&conns, crowd[i]);
    assert_int_equal(conns.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dripping_client_is_cut),
        cmocka_unit_test(an_honest_client_is_not),
        cmocka_unit_test(a_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
