#include "mosquitto/members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct msg_room room_of(const char *id, unsigned count, const char *first,
                               const char *second)
{
    struct msg_room room = {.rev = 1, .max_peers = ROOM_PEERS_MAX, .peer_count = count};
    strcpy(room.room_id, id);
    strcpy(room.peers[0].peer_id, first);
    strcpy(room.peers[1].peer_id, second);
    return room;
}

static void nobody_is_a_member_of_an_unknown_room(void **state)
{
    (void)state;
    struct members *members = members_new();
    assert_false(members_has(members, "r", "p-a"));
    assert_int_equal(members_room_count(members), 0);
    members_remove(members, "r");
    members_free(members);
    members_free(NULL);
}

static void a_state_names_the_members_and_nobody_else(void **state)
{
    (void)state;
    struct members *members = members_new();
    struct msg_room room = room_of("r", 1, "p-a", "p-b");
    assert_int_equal(members_set(members, &room), STATUS_OK);
    assert_true(members_has(members, "r", "p-a"));
    assert_false(members_has(members, "r", "p-b")); /* beyond peer_count */
    assert_false(members_has(members, "r", "p-"));
    assert_false(members_has(members, "r2", "p-a"));
    members_free(members);
}

static void an_away_peer_is_a_member(void **state)
{
    (void)state;
    struct members *members = members_new();
    struct msg_room room = room_of("r", 2, "p-a", "p-b");
    room.peers[1].away = true;
    assert_int_equal(members_set(members, &room), STATUS_OK);
    assert_true(members_has(members, "r", "p-b"));
    members_free(members);
}

static void a_newer_state_replaces_the_one_before(void **state)
{
    (void)state;
    struct members *members = members_new();
    struct msg_room room = room_of("r", 2, "p-a", "p-b");
    assert_int_equal(members_set(members, &room), STATUS_OK);
    room = room_of("r", 1, "p-c", "");
    assert_int_equal(members_set(members, &room), STATUS_OK);
    assert_false(members_has(members, "r", "p-a"));
    assert_false(members_has(members, "r", "p-b"));
    assert_true(members_has(members, "r", "p-c"));
    assert_int_equal(members_room_count(members), 1);
    members_free(members);
}

static void an_empty_or_removed_room_takes_no_memory(void **state)
{
    (void)state;
    struct members *members = members_new();
    struct msg_room one = room_of("r1", 1, "p-a", "");
    struct msg_room two = room_of("r2", 1, "p-a", "");
    assert_int_equal(members_set(members, &one), STATUS_OK);
    assert_int_equal(members_set(members, &two), STATUS_OK);
    assert_int_equal(members_room_count(members), 2);
    members_remove(members, "r1");
    assert_int_equal(members_room_count(members), 1);
    assert_false(members_has(members, "r1", "p-a"));
    two.peer_count = 0;
    assert_int_equal(members_set(members, &two), STATUS_OK);
    assert_int_equal(members_room_count(members), 0);
    assert_false(members_has(members, "r2", "p-a"));
    members_free(members);
}

static void note_room(void *ctx, const char *room_id)
{
    strcat(ctx, room_id);
    strcat(ctx, " ");
}

static void each_room_of_a_peer_is_named_once(void **state)
{
    (void)state;
    struct members *members = members_new();
    struct msg_room rooms[] = {room_of("r1", 2, "p-a", "d-1"), room_of("r2", 1, "p-b", ""),
                               room_of("r3", 2, "d-1", "p-c")};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(members_set(members, &rooms[i]), STATUS_OK);
    char seen[64] = "";
    members_each_room_of(members, "d-1", note_room, seen);
    assert_string_equal(seen, "r1 r3 ");
    seen[0] = '\0';
    members_each_room_of(members, "d-2", note_room, seen);
    assert_string_equal(seen, "");
    members_free(members);
}

static void many_rooms_are_kept_apart(void **state)
{
    (void)state;
    struct members *members = members_new();
    char id[ROOM_ID_MAX + 1];
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof id, "room-%d", i);
        struct msg_room room = room_of(id, 1, i % 2 ? "p-odd" : "p-even", "");
        assert_int_equal(members_set(members, &room), STATUS_OK);
    }
    assert_true(members_has(members, "room-4999", "p-odd"));
    assert_false(members_has(members, "room-4998", "p-odd"));
    for (int i = 0; i < 5000; i += 2) {
        snprintf(id, sizeof id, "room-%d", i);
        members_remove(members, id);
    }
    assert_int_equal(members_room_count(members), 2500);
    assert_true(members_has(members, "room-1", "p-odd"));
    members_free(members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_a_member_of_an_unknown_room),
        cmocka_unit_test(a_state_names_the_members_and_nobody_else),
        cmocka_unit_test(an_away_peer_is_a_member),
        cmocka_unit_test(a_newer_state_replaces_the_one_before),
        cmocka_unit_test(an_empty_or_removed_room_takes_no_memory),
        cmocka_unit_test(each_room_of_a_peer_is_named_once),
        cmocka_unit_test(many_rooms_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
