/*
 * store: roomd's rooms and seats on disk, in SQLite.
 *
 * One row is one room with its seats, since a room is one value and changes as one. WAL with
 * synchronous=NORMAL: a killed process loses nothing that was committed, for the kernel has it; a
 * power cut may lose the last commits, never the file's consistency, and then the seats that the
 * peers hold bring their rooms back (docs/protocol.md, rule 7). A sync at every commit would cost
 * each join some milliseconds to save just that.
 *
 * One roomd at a time writes. The broker lets one in at a time (mosquitto/connects.c), and whoever is
 * in claims the store: one that was overtaken in the middle of its work, stopped or without
 * processor time, finds at its next transaction that the store is another's. Until somebody claims
 * it, a store may be opened by any number of processes.
 */
#ifndef PARLEY_STORE_H
#define PARLEY_STORE_H

#include "room.h"

#include <stddef.h>
#include <stdint.h>

struct store;

/*
 * Opens the store at `path`, making it if there is none. A file that is corrupt is moved aside to
 * `path.corrupt-TIME`, with a warning, and an empty one takes its place. On success `*out` is owned
 * by the caller, to be closed by store_close. STATUS_INTERNAL and a sentence in `why` when there
 * can be no store here: no such folder, no permission, made by a newer version, locked.
 */
enum status store_open(const char *path, struct store **out, char *why, size_t why_size);

/* NULL is fine. What was not committed is undone. */
void store_close(struct store *store);

/*
 * Calls `each` with every room, the longest empty first. Its members are PEER_PRESENT: who is there
 * is not written down; an open reclaim window is INT64_MAX. `emptied_at` is in seconds since 1970.
 * A row that is no room is left out, with a warning.
 */
enum status store_load(struct store *store,
                       void (*each)(void *ctx, const struct room *room, int64_t emptied_at),
                       void *ctx);

/*
 * Makes the store this process's, and nobody else's: transactions of those who claimed it before are
 * refused from here on. STATUS_UNAVAILABLE when it cannot be written.
 */
enum status store_claim(struct store *store);

/* STATUS_FORBIDDEN: another has claimed it since (or we never did), or it is no longer the file at its
 * path: lost, or moved aside by another. STATUS_UNAVAILABLE when it cannot be read. */
enum status store_check_claim(struct store *store);

/*
 * A transaction: begin, any number of put and delete, commit. Each returns STATUS_UNAVAILABLE when
 * the store cannot write now (disk full, an I/O error, locked): store_rollback then ends the
 * transaction, and another may be tried later. Begin returns STATUS_FORBIDDEN when another has
 * claimed it: then store_rollback, and no more.
 */
enum status store_begin(struct store *store);
enum status store_put(struct store *store, const struct room *room, int64_t emptied_at);
enum status store_delete(struct store *store, const char *room_id);
enum status store_commit(struct store *store);
void store_rollback(struct store *store);

/* Writes something that changes nothing: STATUS_OK when the store can write. Not inside a
 * transaction. */
enum status store_probe(struct store *store);

/* What the last STATUS_UNAVAILABLE was about. Never NULL. */
const char *store_why(const struct store *store);

#endif
