/* Rooms on disk; see store.h. */
#include "store.h"

#include "common/clock.h"
#include "common/log.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* PRAGMA user_version of the schema below. */
#define SCHEMA_VERSION 1

/* Another process may look at the file (a backup): wait for it this long rather than call the store
 * broken. */
#define BUSY_TIMEOUT_MS 1000

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE rooms ("
    "  room_id TEXT PRIMARY KEY,"
    "  rev INTEGER NOT NULL,"
    "  reclaim INTEGER NOT NULL,"    /* 1: brought back by a seat, its window is open */
    "  emptied_at INTEGER NOT NULL," /* seconds since 1970; counts while peer1_id is NULL */
    "  peer1_id TEXT, peer1_name TEXT, peer1_session TEXT, peer1_seat_rev INTEGER,"
    "  peer2_id TEXT, peer2_name TEXT, peer2_session TEXT, peer2_seat_rev INTEGER"
    ") WITHOUT ROWID;"
    "CREATE TABLE probe (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* Counts the claims. Apart from the schema: an older roomd does without it. */
static const char owner_schema[] =
    "CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY, claim INTEGER NOT NULL)";

/* The columns of a room, in the order of COLUMN_…; a peer's follow each other. */
#define COLUMNS                                                                                    \
    "room_id, rev, reclaim, emptied_at,"                                                           \
    " peer1_id, peer1_name, peer1_session, peer1_seat_rev,"                                        \
    " peer2_id, peer2_name, peer2_session, peer2_seat_rev"

enum { COLUMN_ROOM_ID, COLUMN_REV, COLUMN_RECLAIM, COLUMN_EMPTIED_AT, COLUMN_PEERS };
enum { PEER_ID, PEER_NAME, PEER_SESSION, PEER_SEAT_REV, PEER_COLUMNS };

enum statement { CLAIM, OWNER, BEGIN, PUT, DELETE, COMMIT, PROBE, LOAD, STATEMENT_COUNT };

static const char *const statements[STATEMENT_COUNT] = {
    [CLAIM] = "INSERT INTO owner VALUES (1, 1)"
              " ON CONFLICT (id) DO UPDATE SET claim = claim + 1 RETURNING claim",
    [OWNER] = "SELECT claim FROM owner",
    [BEGIN] = "BEGIN IMMEDIATE",
    [PUT] = "INSERT OR REPLACE INTO rooms (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    [DELETE] = "DELETE FROM rooms WHERE room_id = ?",
    [COMMIT] = "COMMIT",
    [PROBE] = "INSERT OR REPLACE INTO probe VALUES (1, ?)",
    [LOAD] = "SELECT " COLUMNS " FROM rooms ORDER BY emptied_at",
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENT_COUNT];
    int64_t claim; /* ours; 0 = none yet */
    char *path;
    struct stat file; /* that was opened: another may stand in its place by now */
};

/* ---- opening ---- */

enum condition { SOUND, CORRUPT, UNUSABLE };

static enum condition condition_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SOUND;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return CORRUPT;
    default:
        return UNUSABLE;
    }
}

/* Runs `sql` and gives the first column of its first row: as a number, or as text that is "ok". */
static int query(sqlite3 *db, const char *sql, int64_t *number, bool *is_ok)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        *number = sqlite3_column_int64(statement, 0);
        *is_ok = text != NULL && strcmp(text, "ok") == 0;
    }
    sqlite3_finalize(statement);
    return rc;
}

static int prepare_all(struct store *store)
{
    int rc = SQLITE_OK;
    for (int i = 0; i < STATEMENT_COUNT && rc == SQLITE_OK; i++) {
        rc = sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                &store->prepared[i], NULL);
    }
    return rc;
}

/* Opens, sets up and checks the file. On UNUSABLE `why` says why. */
static enum condition open_checked(struct store *store, const char *path, char *why,
                                   size_t why_size)
{
    int64_t version = 0;
    bool is_ok = false;
    int rc = sqlite3_open_v2(
        path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(store->db, 1);
        sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
        rc = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
                          NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = query(store->db, "PRAGMA user_version", &version, &is_ok);
    }
    if (rc == SQLITE_ROW && version > SCHEMA_VERSION) {
        snprintf(why, why_size, "%s was made by a newer roomd (schema %" PRId64 ")", path, version);
        return UNUSABLE;
    }
    if (rc == SQLITE_ROW) {
        int64_t unused;
        rc = query(store->db, "PRAGMA quick_check(1)", &unused, &is_ok);
        if (rc == SQLITE_ROW && !is_ok) {
            return CORRUPT;
        }
    }
    if (rc == SQLITE_ROW) {
        rc = version == 0 ? sqlite3_exec(store->db, schema, NULL, NULL, NULL) : SQLITE_OK;
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(store->db, owner_schema, NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = prepare_all(store);
    }
    if (condition_of(rc) == UNUSABLE) {
        snprintf(why, why_size, "%s: %s", path,
                 store->db != NULL ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc));
    }
    return condition_of(rc);
}

static void close_file(struct store *store)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->prepared[i]);
    }
    sqlite3_close(store->db);
    memset(store, 0, sizeof(*store));
}

/* Moves the file and what SQLite keeps beside it out of the way, for somebody to look at. */
static bool move_aside(const char *path, char *why, size_t why_size)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    long long now = clock_wall_s();
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char from[4096], to[4096];
        int from_len = snprintf(from, sizeof(from), "%s%s", path, parts[i]);
        int to_len = snprintf(to, sizeof(to), "%s.corrupt-%lld%s", path, now, parts[i]);
        bool fits = from_len < (int)sizeof(from) && to_len < (int)sizeof(to);
        if (i == 0 && !(fits && rename(from, to) == 0)) {
            snprintf(why, why_size, "%s is corrupt and cannot be moved aside", path);
            return false;
        }
        if (i == 0) {
            log_warn("store-corrupt", LOG_TEXT("file", path), LOG_TEXT("moved_to", to));
        } else if (fits) {
            rename(from, to); /* there need not be one */
        }
    }
    return true;
}

enum status store_open(const char *path, struct store **out, char *why, size_t why_size)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        snprintf(why, why_size, "no memory");
        return STATUS_INTERNAL;
    }
    enum condition condition = open_checked(store, path, why, why_size);
    if (condition == CORRUPT) {
        close_file(store);
        snprintf(why, why_size, "%s: the new file is corrupt too", path);
        condition =
            move_aside(path, why, why_size) ? open_checked(store, path, why, why_size) : UNUSABLE;
    }
    if (condition == SOUND) {
        store->path = strdup(path);
    }
    if (condition != SOUND || store->path == NULL || stat(path, &store->file) != 0) {
        store_close(store);
        return STATUS_INTERNAL;
    }
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (store != NULL) {
        free(store->path);
        close_file(store);
        free(store);
    }
}

/* ---- reading ---- */

/* Copies a text column; false when it is missing, too long, or holds a NUL. */
static bool read_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    if (text == NULL || len >= size || memchr(text, '\0', len) != NULL) {
        return false;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool read_id(sqlite3_stmt *row, int column, char *out, size_t size)
{
    return read_text(row, column, out, size) && id_is_valid(out, strlen(out));
}

static bool read_peer(sqlite3_stmt *row, int first, struct peer *peer)
{
    peer->seat_rev = (uint64_t)sqlite3_column_int64(row, first + PEER_SEAT_REV);
    return read_id(row, first + PEER_ID, peer->id, sizeof(peer->id)) &&
           read_text(row, first + PEER_NAME, peer->name, sizeof(peer->name)) &&
           read_id(row, first + PEER_SESSION, peer->session, sizeof(peer->session));
}

static bool read_room(sqlite3_stmt *row, struct room *room)
{
    memset(room, 0, sizeof(*room));
    room->rev = (uint64_t)sqlite3_column_int64(row, COLUMN_REV);
    room->reclaim_until = sqlite3_column_int64(row, COLUMN_RECLAIM) != 0 ? INT64_MAX : 0;
    bool good = read_id(row, COLUMN_ROOM_ID, room->id, sizeof(room->id));
    for (int i = 0; i < ROOM_PEERS_MAX && good; i++) {
        int first = COLUMN_PEERS + i * PEER_COLUMNS;
        if (sqlite3_column_type(row, first) != SQLITE_NULL) {
            good = read_peer(row, first, &room->peers[room->peer_count]);
            room->peer_count++;
        }
    }
    return good;
}

enum status store_load(struct store *store,
                       void (*each)(void *ctx, const struct room *room, int64_t emptied_at),
                       void *ctx)
{
    sqlite3_stmt *row = store->prepared[LOAD];
    unsigned bad = 0;
    int rc;
    while ((rc = sqlite3_step(row)) == SQLITE_ROW) {
        struct room room;
        if (read_room(row, &room)) {
            each(ctx, &room, sqlite3_column_int64(row, COLUMN_EMPTIED_AT));
        } else {
            bad++;
        }
    }
    sqlite3_reset(row);
    if (bad > 0) {
        log_warn("store-rows-bad", LOG_NUMBER("count", bad));
    }
    return rc == SQLITE_DONE ? STATUS_OK : STATUS_UNAVAILABLE;
}

/* ---- whose it is ---- */

/* The number that `which` gives, or 0. */
static int64_t read_claim(struct store *store, enum statement which)
{
    sqlite3_stmt *statement = store->prepared[which];
    int64_t claim = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    bool done =
        claim != 0 && sqlite3_step(statement) == SQLITE_DONE; /* a write is on disk by now */
    sqlite3_reset(statement);
    return done ? claim : 0;
}

enum status store_claim(struct store *store)
{
    int64_t claim = read_claim(store, CLAIM);
    if (claim == 0) {
        return STATUS_UNAVAILABLE;
    }
    store->claim = claim;
    return STATUS_OK;
}

static enum status compare_claim(struct store *store)
{
    int64_t claim = read_claim(store, OWNER);
    return claim == 0 ? STATUS_UNAVAILABLE : claim == store->claim ? STATUS_OK : STATUS_FORBIDDEN;
}

enum status store_check_claim(struct store *store)
{
    struct stat there;
    if (stat(store->path, &there) != 0 || there.st_dev != store->file.st_dev ||
        there.st_ino != store->file.st_ino) {
        return STATUS_FORBIDDEN;
    }
    return compare_claim(store);
}

/* ---- writing ---- */

/* Runs a statement whose parameters are bound, and makes it ready for the next time. */
static enum status run(struct store *store, enum statement which)
{
    sqlite3_stmt *statement = store->prepared[which];
    int rc = sqlite3_step(statement);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? STATUS_OK : STATUS_UNAVAILABLE;
}

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    /* Parameters count from 1. The text outlives the step, and every column is bound anew at each
     * use. */
    sqlite3_bind_text(statement, column + 1, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int column, int64_t number)
{
    sqlite3_bind_int64(statement, column + 1, number);
}

static void bind_peer(sqlite3_stmt *statement, int first, const struct peer *peer)
{
    bind_text(statement, first + PEER_ID, peer->id);
    bind_text(statement, first + PEER_NAME, peer->name);
    bind_text(statement, first + PEER_SESSION, peer->session);
    bind_number(statement, first + PEER_SEAT_REV, (int64_t)peer->seat_rev);
}

enum status store_begin(struct store *store)
{
    enum status status = run(store, BEGIN);
    if (status == STATUS_OK) {
        status = compare_claim(store); /* nobody can claim it from here to the commit */
    }
    return status;
}

enum status store_put(struct store *store, const struct room *room, int64_t emptied_at)
{
    sqlite3_stmt *put = store->prepared[PUT];
    sqlite3_clear_bindings(put);
    bind_text(put, COLUMN_ROOM_ID, room->id);
    bind_number(put, COLUMN_REV, (int64_t)room->rev);
    bind_number(put, COLUMN_RECLAIM, room->reclaim_until != 0);
    bind_number(put, COLUMN_EMPTIED_AT, emptied_at);
    for (unsigned i = 0; i < room->peer_count; i++) {
        bind_peer(put, COLUMN_PEERS + (int)i * PEER_COLUMNS, &room->peers[i]);
    }
    return run(store, PUT);
}

enum status store_delete(struct store *store, const char *room_id)
{
    bind_text(store->prepared[DELETE], COLUMN_ROOM_ID, room_id);
    return run(store, DELETE);
}

enum status store_commit(struct store *store)
{
    return run(store, COMMIT);
}

void store_rollback(struct store *store)
{
    /* A full disk may have ended the transaction already. */
    if (!sqlite3_get_autocommit(store->db)) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

enum status store_probe(struct store *store)
{
    bind_number(store->prepared[PROBE], 0, clock_wall_s());
    return run(store, PROBE);
}

const char *store_why(const struct store *store)
{
    return sqlite3_errmsg(store->db);
}
