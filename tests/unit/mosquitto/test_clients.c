#include "mosquitto/clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Stand for the broker's connections: only their addresses count. */
static const char connection_1, connection_2;

static struct token_claims claims_of(const char *id, enum role role, const char *room)
{
    struct token_claims claims = {.role = role, .issued_at = 100, .expires_at = 200};
    strcpy(claims.peer_id, id);
    strcpy(claims.room, room);
    return claims;
}

/* Puts a peer of room "r". */
static void put(struct clients *clients, const char *id, const void *connection)
{
    struct token_claims claims = claims_of(id, ROLE_PEER, "r");
    assert_int_equal(clients_put(clients, &claims, "a.b.c", connection), STATUS_OK);
}

static void note(void *ctx, const struct client *client)
{
    strcat(ctx, client->who.peer_id);
    strcat(ctx, " ");
}

/* Who is said to have left when `clients` settles at `now`. */
static const char *settle(struct clients *clients, int64_t now)
{
    static char seen[256];
    seen[0] = '\0';
    clients_settle(clients, now, note, seen);
    return seen;
}

static void what_the_token_said_is_found_again(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    const struct client *client = clients_find(clients, "p-a", &connection_1);
    assert_non_null(client);
    assert_string_equal(client->who.peer_id, "p-a");
    assert_int_equal(client->who.role, ROLE_PEER);
    assert_string_equal(client->who.room, "r");
    assert_int_equal(client->expires_at, 200);
    assert_true(client->connected);
    assert_int_equal(clients_connected_count(clients), 1);
    assert_true(clients_is_connected(clients, "p-a"));
    assert_false(clients_is_connected(clients, "p-b"));
    clients_free(clients);
    clients_free(NULL);
}

static void id_and_connection_have_to_match(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    assert_null(clients_find(clients, "p-b", &connection_1));
    assert_null(clients_find(clients, "p-a", &connection_2));
    assert_null(clients_find(clients, NULL, &connection_1));
    clients_leave(clients, NULL, &connection_1, 0);
    clients_leave(clients, "p-b", &connection_1, 0);
    assert_true(clients_find(clients, "p-a", &connection_1)->connected);
    clients_free(clients);
}

static void a_newer_connection_replaces_the_one_before(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    struct token_claims claims = claims_of("p-a", ROLE_PEER, "r2");
    assert_int_equal(clients_put(clients, &claims, "d.e.f", &connection_2), STATUS_OK);
    assert_null(clients_find(clients, "p-a", &connection_1));
    const struct client *client = clients_find(clients, "p-a", &connection_2);
    assert_string_equal(client->who.room, "r2");
    assert_true(client_came_with(client, "d.e.f"));
    assert_false(client_came_with(client, "a.b.c"));
    assert_false(client_came_with(client, NULL));
    assert_int_equal(clients_count(clients), 1);
    assert_int_equal(clients_connected_count(clients), 1);

    /* The end of the replaced one is nobody's departure. */
    clients_leave(clients, "p-a", &connection_1, 0);
    assert_string_equal(settle(clients, 0), "");
    assert_true(clients_find(clients, "p-a", &connection_2)->connected);
    clients_free(clients);
}

static void a_departure_is_told_once(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    put(clients, "p-b", &connection_2);
    clients_leave(clients, "p-b", &connection_2, 0);
    clients_leave(clients, "p-a", &connection_1, 0);
    clients_leave(clients, "p-a", &connection_1, 0);
    assert_false(clients_is_connected(clients, "p-a"));
    assert_int_equal(clients_connected_count(clients), 0);
    assert_string_equal(settle(clients, 0), "p-b p-a ");
    assert_string_equal(settle(clients, 0), "");
    clients_free(clients);
}

static void who_is_back_before_the_tick_never_left(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    clients_leave(clients, "p-a", &connection_1, 0);
    put(clients, "p-a", &connection_2);
    assert_string_equal(settle(clients, 0), "");
    clients_leave(clients, "p-a", &connection_2, 0);
    assert_string_equal(settle(clients, 0), "p-a ");
    clients_free(clients);
}

static void a_client_that_left_is_remembered_for_its_session(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    clients_leave(clients, "p-a", &connection_1, 1000);
    settle(clients, 1000);
    const struct client *client = clients_find(clients, "p-a", &connection_1);
    assert_non_null(client);
    assert_false(client->connected);
    settle(clients, 1000 + CLIENT_KEEP_MS);
    assert_non_null(clients_find(clients, "p-a", &connection_1));
    settle(clients, 1000 + CLIENT_KEEP_MS + 1);
    assert_null(clients_find(clients, "p-a", &connection_1));
    assert_int_equal(clients_count(clients), 0);
    clients_free(clients);
}

static void people_are_forgotten_sooner(void **state)
{
    (void)state;
    struct clients *clients = clients_new(5000);
    struct token_claims device = claims_of("d-a", ROLE_DEVICE, "");
    assert_int_equal(clients_put(clients, &device, "a.b.c", &connection_1), STATUS_OK);
    put(clients, "p-a", &connection_1);
    put(clients, "p-b", &connection_2);
    clients_leave(clients, "d-a", &connection_1, 1000);
    clients_leave(clients, "p-a", &connection_1, 1000);
    clients_leave(clients, "p-b", &connection_2, 3000);
    settle(clients, 6000);
    assert_int_equal(clients_count(clients), 3);
    settle(clients, 6001);
    assert_null(clients_get(clients, "p-a"));
    assert_int_equal(clients_count(clients), 2);
    put(clients, "p-b", &connection_1);
    settle(clients, 1000 + CLIENT_KEEP_MS);
    assert_int_equal(clients_count(clients), 2);
    settle(clients, 1001 + CLIENT_KEEP_MS);
    assert_null(clients_get(clients, "d-a"));
    assert_true(clients_is_connected(clients, "p-b"));
    clients_free(clients);
}

static void who_came_back_is_not_forgotten(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    put(clients, "p-b", &connection_2);
    clients_leave(clients, "p-a", &connection_1, 0);
    clients_leave(clients, "p-b", &connection_2, 1);
    settle(clients, 1);
    put(clients, "p-a", &connection_2);
    settle(clients, CLIENT_KEEP_MS + 2);
    assert_true(clients_find(clients, "p-a", &connection_2)->connected);
    assert_null(clients_find(clients, "p-b", &connection_2));
    assert_int_equal(clients_count(clients), 1);
    clients_free(clients);
}

static void the_same_connection_again_replaces_nobody(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    put(clients, "p-a", &connection_1);
    assert_int_equal(clients_connected_count(clients), 1);
    clients_free(clients);
}

/* Who is answered now. */
static const char *answer(struct clients *clients)
{
    static char seen[256];
    seen[0] = '\0';
    clients_answer(clients, note, seen);
    return seen;
}

static void who_asks_is_answered_once_while_connected(void **state)
{
    (void)state;
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    put(clients, "p-b", &connection_2);
    clients_ask(clients, clients_get(clients, "p-a"));
    clients_ask(clients, clients_get(clients, "p-a"));
    clients_ask(clients, clients_get(clients, "p-b"));
    clients_leave(clients, "p-b", &connection_2, 0);
    assert_false(clients_is_connected(clients, "p-b"));
    clients_ask(clients, clients_get(clients, "p-b"));
    assert_true(clients_is_connected(clients, "p-a"));
    assert_string_equal(answer(clients), "p-a ");
    assert_string_equal(answer(clients), "");
    assert_string_equal(settle(clients, 0), "p-b ");

    clients_ask(clients, clients_get(clients, "p-a"));
    put(clients, "p-a", &connection_2); /* and is answered on its new connection */
    assert_string_equal(answer(clients), "p-a ");
    assert_int_equal(clients_connected_count(clients), 1);
    clients_free(clients);
}

static void everybody_can_be_gone_through(void **state)
{
    (void)state;
    char seen[256] = "";
    struct clients *clients = clients_new(CLIENT_KEEP_MS);
    put(clients, "p-a", &connection_1);
    put(clients, "p-b", &connection_2);
    clients_leave(clients, "p-b", &connection_2, 0);
    clients_each(clients, note, seen);
    assert_non_null(strstr(seen, "p-a "));
    assert_non_null(strstr(seen, "p-b "));
    assert_int_equal(strlen(seen), strlen("p-a p-b "));
    clients_free(clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_token_said_is_found_again),
        cmocka_unit_test(id_and_connection_have_to_match),
        cmocka_unit_test(a_newer_connection_replaces_the_one_before),
        cmocka_unit_test(a_departure_is_told_once),
        cmocka_unit_test(who_is_back_before_the_tick_never_left),
        cmocka_unit_test(a_client_that_left_is_remembered_for_its_session),
        cmocka_unit_test(people_are_forgotten_sooner),
        cmocka_unit_test(who_came_back_is_not_forgotten),
        cmocka_unit_test(the_same_connection_again_replaces_nobody),
        cmocka_unit_test(who_asks_is_answered_once_while_connected),
        cmocka_unit_test(everybody_can_be_gone_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
