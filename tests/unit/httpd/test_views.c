#include "check.h"

#include "httpd/devices_view.h"
#include "httpd/rooms_view.h"

#include <string.h>

static struct payload text(const char *json)
{
    return (struct payload){json, strlen(json)};
}

static const char standup[] = "{\"room_id\":\"standup\",\"max_peers\":2,\"rev\":3,\"peers\":["
                              "{\"peer_id\":\"p-a\",\"peer_name\":\"Ada\",\"state\":\"away\"}]}";

static enum status take_state(struct mirror *rooms, const char *room_id, const char *json)
{
    struct msg_room room;
    return rooms_view_take_state(rooms, room_id, text(json), &room);
}

static enum status take_exists(struct mirror *rooms, const char *room_id, const char *json)
{
    return rooms_view_take_exists(rooms, room_id, text(json));
}

static void rooms_come_and_go(void **state)
{
    struct mirror rooms;
    (void)state;
    mirror_init(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_UNKNOWN);
    /* What can be no room's id is missing, whether or not the mirror is complete. */
    assert_int_equal(rooms_view_find(&rooms, "a b"), ROOM_MISSING);
    mirror_begin(&rooms);
    assert_int_equal(take_state(&rooms, "standup", standup), STATUS_OK);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_EXISTS);
    assert_int_equal(rooms_view_find(&rooms, "other"), ROOM_UNKNOWN);
    mirror_complete(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "other"), ROOM_MISSING);
    mirror_lose(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_EXISTS);
    assert_int_equal(rooms_view_find(&rooms, "other"), ROOM_UNKNOWN);
    mirror_begin(&rooms);
    mirror_complete(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_MISSING);
    assert_int_equal(take_state(&rooms, "standup", standup), STATUS_OK);
    assert_int_equal(take_state(&rooms, "standup", ""), STATUS_NO_SUCH_ROOM);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_MISSING);
    mirror_clear(&rooms);
}

/* What was said before the retained states came counts as much as they do. */
static void rooms_that_are_made_and_end(void **state)
{
    struct mirror rooms;
    (void)state;
    mirror_init(&rooms);
    mirror_begin(&rooms);
    assert_int_equal(take_exists(&rooms, "made", "{\"exists\":true}"), STATUS_OK);
    assert_int_equal(take_exists(&rooms, "made", "{\"exists\":true}"), STATUS_OK);
    assert_int_equal(rooms_view_find(&rooms, "made"), ROOM_EXISTS);
    assert_int_equal(take_state(&rooms, "standup", standup), STATUS_OK);
    assert_int_equal(take_exists(&rooms, "standup", "{\"exists\":false}"), STATUS_NO_SUCH_ROOM);
    mirror_complete(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "made"), ROOM_EXISTS);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_MISSING);
    mirror_clear(&rooms);
}

static void rooms_that_are_none(void **state)
{
    struct mirror rooms;
    (void)state;
    mirror_init(&rooms);
    assert_int_equal(take_state(&rooms, "standup", standup), STATUS_OK);
    assert_int_equal(take_state(&rooms, "standup", "{}"), STATUS_BAD_REQUEST);
    assert_int_equal(take_state(&rooms, "standup", "nonsense"), STATUS_BAD_REQUEST);
    assert_int_equal(take_state(&rooms, "other", standup), STATUS_BAD_REQUEST);
    assert_int_equal(take_exists(&rooms, "standup", ""), STATUS_BAD_REQUEST);
    assert_int_equal(take_exists(&rooms, "standup", "{\"exists\":0}"), STATUS_BAD_REQUEST);
    assert_int_equal(rooms.count, 1);
    assert_int_equal(rooms_view_find(&rooms, "standup"), ROOM_EXISTS);
    mirror_clear(&rooms);
}

static void devices(void **state)
{
    struct mirror view;
    (void)state;
    mirror_init(&view);
    assert_false(devices_view_is_reachable(&view, "d-door"));
    assert_int_equal(devices_view_take(&view, "d-door", text("{\"state\":\"online\"}")), STATUS_OK);
    assert_true(devices_view_is_reachable(&view, "d-door"));
    assert_int_equal(
        devices_view_take(&view, "d-door", text("{\"state\":\"in-call\",\"room_id\":\"x\"}")),
        STATUS_OK);
    assert_true(devices_view_is_reachable(&view, "d-door"));
    assert_int_not_equal(devices_view_take(&view, "d-door", text("{\"state\":\"asleep\"}")),
                         STATUS_OK);
    assert_true(devices_view_is_reachable(&view, "d-door"));
    assert_int_equal(devices_view_take(&view, "d-door", text("{\"state\":\"offline\"}")),
                     STATUS_OK);
    assert_false(devices_view_is_reachable(&view, "d-door"));
    assert_int_equal(devices_view_take(&view, "d-door", text("{\"state\":\"online\"}")), STATUS_OK);
    assert_int_equal(devices_view_take(&view, "d-door", text("")), STATUS_OK);
    assert_false(devices_view_is_reachable(&view, "d-door"));
    mirror_clear(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_come_and_go),
        cmocka_unit_test(rooms_that_are_made_and_end),
        cmocka_unit_test(rooms_that_are_none),
        cmocka_unit_test(devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
