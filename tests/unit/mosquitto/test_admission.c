#include "mosquitto/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1000000

/* A key ring with one new key, by way of a key file. */
static struct keyring *new_keyring(void)
{
    char path[] = "/tmp/test_admission.XXXXXX";
    char line[KEY_LINE_MAX + 1];
    char why[256] = "";
    key_line_generate(line);
    int fd = mkstemp(path); /* mode 0600 */
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s\n", line) > 0);
    close(fd);
    struct keyring *keyring = NULL;
    enum status status = keyring_load(path, &keyring, why, sizeof why);
    unlink(path);
    if (status != STATUS_OK)
        fail_msg("%s", why);
    return keyring;
}

struct fixture {
    struct keyring *keyring;
    char token[TOKEN_MAX + 1]; /* of p-a, in room r, for ten seconds */
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct token_claims claims = {"p-a", ROLE_PEER, "r", NOW, NOW + 10};
    fixture->keyring = new_keyring();
    *state = fixture;
    return token_sign(fixture->keyring, &claims, fixture->token) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    keyring_free(fixture->keyring);
    free(fixture);
    return 0;
}

static struct admission_request request_of(const struct fixture *fixture)
{
    return (struct admission_request){"p-a", "p-a", fixture->token, KEEPALIVE_DEFAULT_S, 4};
}

static void decides(const struct fixture *fixture, const struct admission_request *request,
                    int64_t now, enum admission expected)
{
    struct token_claims claims = {.role = ROLE_NONE};
    enum admission answer = admission_decide(request, fixture->keyring, now, &claims);
    assert_string_equal(admission_name(answer), admission_name(expected));
}

static void a_token_of_ones_own_lets_in(void **state)
{
    struct fixture *fixture = *state;
    struct admission_request request = request_of(fixture);
    struct token_claims claims;
    assert_int_equal(admission_decide(&request, fixture->keyring, NOW, &claims), ADMISSION_GRANTED);
    assert_string_equal(claims.peer_id, "p-a");
    assert_string_equal(claims.room, "r");
    assert_int_equal(claims.expires_at, NOW + 10);
    request.protocol_version = 5;
    decides(fixture, &request, NOW, ADMISSION_GRANTED);
}

static void other_protocols_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct admission_request request = request_of(fixture);
    for (int version = 0; version < 4; version++) {
        request.protocol_version = version;
        decides(fixture, &request, NOW, ADMISSION_PROTOCOL);
    }
    request.protocol_version = 6;
    decides(fixture, &request, NOW, ADMISSION_PROTOCOL);
}

static void ids_that_are_none_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const ids[] = {NULL, "", "+", "#", "a/b", "$x", "p-", "p-a b", "x-a", "P-a"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct admission_request request = request_of(fixture);
        request.client_id = request.user_name = ids[i];
        decides(fixture, &request, NOW, ADMISSION_BAD_ID);
    }
}

static void nobody_comes_in_without_a_token(void **state)
{
    struct fixture *fixture = *state;
    struct admission_request request = request_of(fixture);
    request.password = NULL;
    decides(fixture, &request, NOW, ADMISSION_NO_TOKEN);
    request = request_of(fixture);
    request.user_name = NULL;
    decides(fixture, &request, NOW, ADMISSION_NO_TOKEN);
}

static void tokens_that_do_not_verify_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct admission_request request = request_of(fixture);
    request.password = "";
    decides(fixture, &request, NOW, ADMISSION_BAD_TOKEN);
    request.password = "a.b.c";
    decides(fixture, &request, NOW, ADMISSION_BAD_TOKEN);
    request.password = fixture->token;
    fixture->token[strlen(fixture->token) / 2] ^= 1;
    decides(fixture, &request, NOW, ADMISSION_BAD_TOKEN);
}

static void an_expired_token_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct admission_request request = request_of(fixture);
    decides(fixture, &request, NOW + 11, ADMISSION_EXPIRED);
}

static void the_id_has_to_be_ones_own(void **state)
{
    struct fixture *fixture = *state;
    struct admission_request request = request_of(fixture);
    request.client_id = "p-b";
    decides(fixture, &request, NOW, ADMISSION_OTHERS_ID); /* user name and token: p-a */
    request.user_name = "p-b";
    decides(fixture, &request, NOW, ADMISSION_OTHERS_ID); /* token: p-a */
    request = request_of(fixture);
    request.user_name = "p-b";
    decides(fixture, &request, NOW, ADMISSION_OTHERS_ID);
}

static void the_keepalive_has_its_bounds(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        int keepalive;
        enum admission expected;
    } cases[] = {
        {0, ADMISSION_KEEPALIVE},
        {KEEPALIVE_MIN_S - 1, ADMISSION_KEEPALIVE},
        {KEEPALIVE_MIN_S, ADMISSION_GRANTED},
        {KEEPALIVE_MAX_S, ADMISSION_GRANTED},
        {KEEPALIVE_MAX_S + 1, ADMISSION_KEEPALIVE},
        {65535, ADMISSION_KEEPALIVE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct admission_request request = request_of(fixture);
        request.keepalive = cases[i].keepalive;
        decides(fixture, &request, NOW, cases[i].expected);
    }
}

static void who_is_in_stays_unless_a_living_tokens_key_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct keyring *other = new_keyring();
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    struct token_claims claims = {"p-a", ROLE_PEER, "r", NOW, NOW + 10};
    int connection;
    assert_int_equal(clients_put(clients, &claims, fixture->token, &connection), STATUS_OK);
    const struct client *client = clients_find(clients, "p-a", &connection);
    assert_true(admission_may_stay(client, fixture->token, fixture->keyring, NOW));
    assert_false(admission_may_stay(client, fixture->token, other, NOW));
    assert_false(admission_may_stay(client, NULL, fixture->keyring, NOW));
    /* Expired: its key may have been rotated out. */
    assert_true(admission_may_stay(client, fixture->token, other, NOW + 10));
    assert_true(admission_may_stay(client, fixture->token, fixture->keyring, NOW + 11));
    /* A kept session is asked when it comes back; but it has to be that session, and no newcomer.
     */
    clients_leave(clients, "p-a", &connection, 0);
    assert_true(admission_may_stay(client, fixture->token, other, NOW));
    assert_true(admission_may_stay(client, fixture->token, fixture->keyring, NOW + 11));
    assert_false(admission_may_stay(client, "a.b.c", fixture->keyring, NOW));
    assert_false(admission_may_stay(client, NULL, fixture->keyring, NOW + 11));
    clients_free(clients);
    keyring_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_of_ones_own_lets_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_protocols_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_that_are_none_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_comes_in_without_a_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_that_do_not_verify_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_expired_token_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_id_has_to_be_ones_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_keepalive_has_its_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_in_stays_unless_a_living_tokens_key_is_gone, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
