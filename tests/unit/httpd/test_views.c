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

static void rooms_come_and_go(void **state)
{
    const struct mirror_entry *entry;
    struct mirror rooms;
    (void)state;
    mirror_init(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "standup", NULL), ROOM_UNKNOWN);
    /* What can be no room's id is missing, whether or not the mirror is complete. */
    assert_int_equal(rooms_view_find(&rooms, "a b", NULL), ROOM_MISSING);
    mirror_begin(&rooms);
    assert_int_equal(rooms_view_take(&rooms, "standup", text(standup)), STATUS_OK);
    assert_int_equal(rooms_view_find(&rooms, "standup", &entry), ROOM_EXISTS);
    assert_string_equal(entry->value, standup);
    assert_int_equal(entry->len, strlen(standup));
    assert_int_equal(rooms_view_find(&rooms, "other", &entry), ROOM_UNKNOWN);
    assert_null(entry);
    mirror_complete(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "other", NULL), ROOM_MISSING);
    mirror_lose(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "standup", NULL), ROOM_EXISTS);
    assert_int_equal(rooms_view_find(&rooms, "other", NULL), ROOM_UNKNOWN);
    mirror_begin(&rooms);
    mirror_complete(&rooms);
    assert_int_equal(rooms_view_find(&rooms, "standup", NULL), ROOM_MISSING);
    assert_int_equal(rooms_view_take(&rooms, "standup", text(standup)), STATUS_OK);
    assert_int_equal(rooms_view_take(&rooms, "standup", text("")), STATUS_OK);
    assert_int_equal(rooms_view_find(&rooms, "standup", NULL), ROOM_MISSING);
    mirror_clear(&rooms);
}

static void rooms_that_are_none(void **state)
{
    struct mirror rooms;
    (void)state;
    mirror_init(&rooms);
    assert_int_equal(rooms_view_take(&rooms, "standup", text(standup)), STATUS_OK);
    assert_int_not_equal(rooms_view_take(&rooms, "standup", text("{}")), STATUS_OK);
    assert_int_not_equal(rooms_view_take(&rooms, "standup", text("nonsense")), STATUS_OK);
    assert_int_equal(rooms_view_take(&rooms, "other", text(standup)), STATUS_BAD_REQUEST);
    assert_int_equal(rooms.count, 1);
    mirror_clear(&rooms);
}

/* Fields that only newer ones know are not passed on: what is served is what docs/schemas/room.json
 * says. */
static void rooms_are_kept_as_we_write_them(void **state)
{
    const struct mirror_entry *entry;
    struct mirror rooms;
    (void)state;
    mirror_init(&rooms);
    assert_int_equal(rooms_view_take(&rooms, "x",
                                     text(" {\"peers\":[], \"secret\":1, \"rev\":0, "
                                          "\"max_peers\":2, \"room_id\":\"x\"} ")),
                     STATUS_OK);
    assert_int_equal(rooms_view_find(&rooms, "x", &entry), ROOM_EXISTS);
    assert_string_equal(entry->value, "{\"room_id\":\"x\",\"max_peers\":2,\"rev\":0,\"peers\":[]}");
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
        cmocka_unit_test(rooms_that_are_none),
        cmocka_unit_test(rooms_are_kept_as_we_write_them),
        cmocka_unit_test(devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
