/* The store: what is written is there again, whatever happens to the process, the file or the disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/log.h"
#include "roomd/persist.h"
#include "roomd/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[96];
static struct store *store;
static char warned[2048];

static void note_log(enum log_level level, const char *line)
{
    if (level <= LOG_LEVEL_WARN) {
        snprintf(warned, sizeof(warned), "%s", line);
    }
}

static void open_store(void)
{
    char why[256] = "";
    if (store_open(path, &store, why, sizeof(why)) != STATUS_OK) {
        fail_msg("%s", why);
    }
    assert_int_equal(store_claim(store), STATUS_OK);
}

static int start(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/parley-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/roomd.sqlite", folder);
    warned[0] = '\0';
    log_set_sink(note_log);
    open_store();
    return 0;
}

/* Calls `each` with every file in the folder; returns how many there are. */
static unsigned each_file(void (*each)(const char *name))
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            count++;
            each(entry->d_name);
        }
    }
    closedir(dir);
    return count;
}

static void delete_file(const char *name)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", folder, name);
    unlink(full);
}

static int stop(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    each_file(delete_file);
    rmdir(folder);
    log_set_sink(NULL);
    return 0;
}

static struct room sample(const char *id, unsigned peers)
{
    struct room room = {.rev = 1234567890123, .peer_count = peers};
    snprintf(room.id, sizeof(room.id), "%s", id);
    for (unsigned i = 0; i < peers; i++) {
        struct peer *peer = &room.peers[i];
        snprintf(peer->id, sizeof(peer->id), "p-%u", i);
        snprintf(peer->name, sizeof(peer->name), "Zoë '%u'", i);
        snprintf(peer->session, sizeof(peer->session), "session-%u", i);
        peer->seat_rev = 100 + i;
    }
    return room;
}

static void put(const struct room *room, int64_t emptied_at)
{
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(store_put(store, room, emptied_at), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
}

static struct {
    unsigned count;
    struct room rooms[4];
    int64_t emptied_at[4];
} loaded;

static void collect(void *ctx, const struct room *room, int64_t emptied_at)
{
    (void)ctx;
    assert_in_range(loaded.count, 0, 3);
    loaded.rooms[loaded.count] = *room;
    loaded.emptied_at[loaded.count++] = emptied_at;
}

static unsigned load(void)
{
    memset(&loaded, 0, sizeof(loaded));
    assert_int_equal(store_load(store, collect, NULL), STATUS_OK);
    return loaded.count;
}

static void round_trip(void **state)
{
    (void)state;
    struct room rooms[3] = {sample("r0", 0), sample("r1", 1), sample("r2", 2)};
    for (int i = 0; i < 3; i++) {
        put(&rooms[i], 1000 - i);
    }
    store_close(store);
    open_store();
    assert_int_equal(load(), 3);
    for (int i = 0; i < 3; i++) { /* the longest empty first */
        assert_memory_equal(&loaded.rooms[i], &rooms[2 - i], sizeof(rooms[0]));
        assert_int_equal(loaded.emptied_at[i], 998 + i);
    }
}

static void later_rows_replace_earlier_ones(void **state)
{
    (void)state;
    struct room room = sample("r1", 2);
    put(&room, 1);
    room = sample("r1", 0);
    room.reclaim_until = 77;
    put(&room, 2);
    assert_int_equal(load(), 1);
    assert_int_equal(loaded.rooms[0].peer_count, 0);
    assert_int_equal(loaded.rooms[0].reclaim_until, INT64_MAX);
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(store_delete(store, "r1"), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
    assert_int_equal(load(), 0);
}

static void rollback_leaves_nothing(void **state)
{
    (void)state;
    struct room room = sample("r1", 2);
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(store_put(store, &room, 1), STATUS_OK);
    store_rollback(store);
    assert_int_equal(load(), 0);
    store_rollback(store); /* and once more does no harm */
    put(&room, 1);
    assert_int_equal(load(), 1);
}

static void killed_process_loses_nothing_committed(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    pid_t child = fork();
    if (child == 0) {
        struct room room = sample("r1", 2);
        open_store();
        put(&room, 1);
        store_begin(store);
        room = sample("r2", 2);
        store_put(store, &room, 1);
        kill(getpid(), SIGKILL);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    open_store();
    assert_int_equal(load(), 1);
    assert_string_equal(loaded.rooms[0].id, "r1");
    assert_string_equal(warned, "");
}

/* Another process's handle on the same file. */
static struct store *open_another(void)
{
    char why[256] = "";
    struct store *another = NULL;
    if (store_open(path, &another, why, sizeof(why)) != STATUS_OK) {
        fail_msg("%s", why);
    }
    return another;
}

static void who_claims_it_shuts_the_others_out(void **state)
{
    (void)state;
    struct room room = sample("r1", 2);
    put(&room, 1);
    struct store *another = open_another();
    assert_int_equal(store_check_claim(another), STATUS_FORBIDDEN); /* it never claimed it */
    assert_int_equal(store_begin(another), STATUS_FORBIDDEN);
    store_rollback(another);
    put(&room, 1); /* to open it takes nothing away */

    assert_int_equal(store_claim(another), STATUS_OK);
    assert_int_equal(store_check_claim(another), STATUS_OK);
    assert_int_equal(store_check_claim(store), STATUS_FORBIDDEN);
    assert_int_equal(store_begin(store), STATUS_FORBIDDEN);
    store_rollback(store);
    assert_int_equal(store_begin(another), STATUS_OK);
    assert_int_equal(store_delete(another, "r1"), STATUS_OK);
    assert_int_equal(store_commit(another), STATUS_OK);
    assert_int_equal(load(), 0);

    assert_int_equal(store_claim(store), STATUS_OK);
    assert_int_equal(store_begin(another), STATUS_FORBIDDEN);
    store_close(another);
    put(&room, 1);
}

static void another_file_in_its_place_is_anothers(void **state)
{
    (void)state;
    char aside[512];
    snprintf(aside, sizeof(aside), "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(store_check_claim(store), STATUS_FORBIDDEN);
    struct store *another = open_another();
    assert_int_equal(store_check_claim(store), STATUS_FORBIDDEN);
    assert_int_equal(store_claim(another), STATUS_OK);
    assert_int_equal(store_check_claim(another), STATUS_OK);
    store_close(another);
}

/* One that is stopped between begin and commit: nobody takes the store over meanwhile, and what it
 * commits is there for whoever does. */
static void nobody_claims_it_within_a_transaction(void **state)
{
    (void)state;
    struct room room = sample("r1", 2);
    struct store *another = open_another();
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(store_put(store, &room, 1), STATUS_OK);
    assert_int_equal(store_claim(another), STATUS_UNAVAILABLE);
    assert_int_equal(store_commit(store), STATUS_OK);
    assert_int_equal(store_claim(another), STATUS_OK);
    store_close(another);
    assert_int_equal(load(), 1);
}

static void a_store_without_claims_gets_them(void **state)
{
    (void)state;
    sqlite3 *db;
    struct room room = sample("r1", 2);
    put(&room, 1);
    store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE owner", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_store();
    assert_int_equal(load(), 1);
    put(&room, 1);
}

static unsigned corrupt_files;

static void count_corrupt(const char *name)
{
    corrupt_files += strncmp(name, "roomd.sqlite.corrupt-", 21) == 0 && !strstr(name, "-wal") &&
                     !strstr(name, "-shm");
}

/* Overwrites `len` bytes of the file at `at` with rubbish. */
static void damage(off_t at, size_t len)
{
    char rubbish[8192];
    memset(rubbish, 0x5a, sizeof(rubbish));
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, rubbish, len, at), (ssize_t)len);
    close(fd);
}

static void corrupt_file_is_moved_aside(void **state)
{
    (void)state;
    static const struct {
        off_t at;
        size_t len;
    } places[] = {{0, 100}, {4096, 4096}}; /* the header; the table's root page */
    for (size_t i = 0; i < 2; i++) {
        char id[16];
        for (int n = 0; n < 100; n++) {
            snprintf(id, sizeof(id), "r%d", n);
            struct room room = sample(id, 2);
            put(&room, 1);
        }
        store_close(store);
        damage(places[i].at, places[i].len);
        warned[0] = '\0';
        open_store();
        assert_non_null(strstr(warned, "store-corrupt"));
        assert_int_equal(load(), 0);
        struct room room = sample("new", 1);
        put(&room, 1);
        assert_int_equal(load(), 1);
        corrupt_files = 0;
        each_file(count_corrupt);
        assert_in_range(corrupt_files, 1, i + 1); /* both within one second take one name */
    }
}

static void rows_that_are_no_rooms_are_left_out(void **state)
{
    (void)state;
    sqlite3 *db;
    struct room room = sample("good", 2);
    put(&room, 1);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO rooms (room_id, rev, reclaim, emptied_at) VALUES ('a/b',1,0,0);"
                     "INSERT INTO rooms (room_id, rev, reclaim, emptied_at, peer1_id) VALUES "
                     "('c',1,0,0,'p-x');",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(load(), 1);
    assert_string_equal(loaded.rooms[0].id, "good");
    assert_non_null(strstr(warned, "store-rows-bad"));
}

static void newer_schema_is_refused(void **state)
{
    (void)state;
    sqlite3 *db;
    char why[256] = "";
    store_close(store);
    store = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(store_open(path, &store, why, sizeof(why)), STATUS_INTERNAL);
    assert_null(store);
    assert_non_null(strstr(why, "newer"));
}

static void no_folder_no_store(void **state)
{
    (void)state;
    char why[256] = "";
    struct store *none = NULL;
    assert_int_equal(store_open("/nonexistent/roomd.sqlite", &none, why, sizeof(why)),
                     STATUS_INTERNAL);
    assert_null(none);
    assert_non_null(strstr(why, "/nonexistent/roomd.sqlite"));
}

/* The disk has no room for files larger than `bytes`; RLIM_INFINITY ends that. */
static void set_disk(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void ignore(void *ctx, const struct rooms_effect *effect)
{
    (void)ctx;
    (void)effect;
}

static struct rooms *new_rooms(void)
{
    const struct rooms_options options = {
        .grace_ms = 30000, .ttl_ms = 86400000, .generate_id = room_id_generate, .emit = ignore};
    return rooms_new(&options);
}

static void full_disk_loses_nothing(void **state)
{
    (void)state;
    struct rooms *rooms = new_rooms();
    rooms_begin(rooms);
    rooms_create(rooms, "s-httpd", "q", "r1", 0);
    assert_int_equal(persist_write(rooms, store, 0, 5000), STATUS_OK);
    rooms_commit(rooms);

    set_disk(4096);
    assert_int_not_equal(store_probe(store), STATUS_OK);
    rooms_begin(rooms);
    rooms_create(rooms, "s-httpd", "q", "r2", 0);
    assert_int_equal(persist_write(rooms, store, 0, 5000), STATUS_UNAVAILABLE);
    assert_non_null(strstr(warned, "store-failed"));
    rooms_rollback(rooms);
    rooms_begin(rooms);
    const struct room_event event = {
        .kind = ROOM_EVENT_JOIN, .peer_id = "p-a", .session = "s1", .peer_name = "Name"};
    rooms_event(rooms, "r1", &event, 0);
    rooms_commit(rooms);
    assert_true(rooms_are_dirty(rooms));

    set_disk(RLIM_INFINITY);
    assert_int_equal(store_probe(store), STATUS_OK);
    assert_int_equal(persist_write(rooms, store, 0, 5000), STATUS_OK);
    assert_false(rooms_are_dirty(rooms));
    assert_int_equal(load(), 1);
    assert_int_equal(loaded.rooms[0].peer_count, 1);
    rooms_free(rooms);
}

static void wall_clock_becomes_monotonic_and_back(void **state)
{
    (void)state;
    enum { WALL = 1000000, TTL_S = 86400, NOW = 500000 };
    static const struct {
        int64_t emptied_at;
        int64_t ends; /* monotonic ms */
    } rows[] = {
        {WALL - 100, NOW - 100000 + TTL_S * 1000LL},
        {WALL + 7200, NOW + TTL_S * 1000LL}, /* the clock was set back: as if emptied now */
        {0, NOW},                            /* or forward: at once, not in the past */
    };
    for (size_t i = 0; i < 3; i++) {
        struct room room = sample("r1", 0);
        put(&room, rows[i].emptied_at);
        struct rooms *rooms = new_rooms();
        assert_int_equal(persist_load(rooms, store, NOW, WALL, TTL_S), STATUS_OK);
        assert_int_equal(rooms_deadline(rooms), rows[i].ends);
        rooms_free(rooms);
    }
    struct rooms *rooms = new_rooms();
    rooms_begin(rooms);
    rooms_create(rooms, "s-httpd", "q", "r1", NOW);
    assert_int_equal(persist_write(rooms, store, NOW + 7000, WALL), STATUS_OK);
    rooms_commit(rooms);
    rooms_free(rooms);
    load();
    assert_int_equal(loaded.emptied_at[0], WALL - 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(later_rows_replace_earlier_ones),
        TEST(rollback_leaves_nothing),
        TEST(killed_process_loses_nothing_committed),
        TEST(who_claims_it_shuts_the_others_out),
        TEST(another_file_in_its_place_is_anothers),
        TEST(nobody_claims_it_within_a_transaction),
        TEST(a_store_without_claims_gets_them),
        TEST(corrupt_file_is_moved_aside),
        TEST(rows_that_are_no_rooms_are_left_out),
        TEST(newer_schema_is_refused),
        TEST(no_folder_no_store),
        TEST(full_disk_loses_nothing),
        TEST(wall_clock_becomes_monotonic_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
