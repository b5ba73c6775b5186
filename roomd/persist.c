/* Rooms to and from the store; see persist.h. */
#include "persist.h"

#include "common/log.h"

struct writing {
    struct store *store;
    int64_t now, wall_s;
};

static enum status write_room(void *ctx, const char *room_id, const struct room *room,
                              int64_t empty_since)
{
    const struct writing *writing = ctx;
    if (room == NULL) {
        return store_delete(writing->store, room_id);
    }
    return store_put(writing->store, room, writing->wall_s - (writing->now - empty_since) / 1000);
}

enum status persist_write(struct rooms *rooms, struct store *store, int64_t now, int64_t wall_s)
{
    struct writing writing = {.store = store, .now = now, .wall_s = wall_s};
    enum status status = store_begin(store);
    if (status == STATUS_OK) {
        status = rooms_each_dirty(rooms, write_room, &writing);
    }
    if (status == STATUS_OK) {
        status = store_commit(store);
    }
    if (status == STATUS_FORBIDDEN) {
        log_warn("overtaken"); /* another roomd has the store by now */
    } else if (status != STATUS_OK) {
        log_warn("store-failed", LOG_TEXT("why", store_why(store)));
    }
    if (status != STATUS_OK) {
        store_rollback(store);
        return status;
    }
    rooms_written(rooms);
    return STATUS_OK;
}

struct loading {
    struct rooms *rooms;
    int64_t now, wall_s, ttl_s;
};

static void load_room(void *ctx, const struct room *room, int64_t emptied_at)
{
    const struct loading *loading = ctx;
    int64_t age_s = loading->wall_s - emptied_at;
    age_s = age_s < 0 ? 0 : age_s > loading->ttl_s ? loading->ttl_s : age_s;
    rooms_load(loading->rooms, room, loading->now - age_s * 1000, loading->now);
}

enum status persist_load(struct rooms *rooms, struct store *store, int64_t now, int64_t wall_s,
                         int64_t ttl_s)
{
    struct loading loading = {.rooms = rooms, .now = now, .wall_s = wall_s, .ttl_s = ttl_s};
    enum status status = store_load(store, load_room, &loading);
    struct rooms_counts counts = rooms_count(rooms);
    if (status == STATUS_OK) {
        log_info("store-loaded", LOG_NUMBER("rooms", counts.rooms),
                 LOG_NUMBER("peers", counts.peers));
    } else {
        log_error("store-not-read", LOG_TEXT("why", store_why(store)));
    }
    return status;
}
