/*
 * ledger: the rooms in memory, with transactions.
 *
 * It holds rooms by id, counts them, keeps their deadlines in order, and remembers two things about
 * every change: how to undo it (until the transaction ends) and that the store has to hear of it
 * (until it has). It knows no rule. An empty room, which most are, takes some 400 bytes.
 */
#ifndef PARLEY_LEDGER_H
#define PARLEY_LEDGER_H

#include "deadlines.h"
#include "room.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

/* Two seats and the reclaim window end each at a time of their own. */
#define LEDGER_STEPS (ROOM_PEERS_MAX + 1)

/* A room as the ledger keeps it. Others read `id`, `empty_since` and what ledger_read gives. */
struct ledger_room {
    char id[ROOM_ID_MAX + 1];
    bool exists; /* false: closed, and kept until the store knows */
    uint64_t rev;
    int64_t reclaim_until;
    unsigned peer_count;
    struct peer *peers;  /* NULL while there is none */
    int64_t empty_since; /* monotonic ms; means something while nobody is in */

    struct deadline steps[LEDGER_STEPS]; /* when room_step may have something to do */
    struct deadline end;                 /* when it is closed for being empty */
    bool noted;                          /* the undo log has it */
    bool dirty;                          /* the store does not have it */
    struct ledger_room *prev, *next;     /* among the dirty */
    UT_hash_handle hh;
};

struct ledger_undo;

struct ledger {
    int64_t ttl_ms; /* how long an empty room lives */
    unsigned rooms, peers, present;
    struct deadline_queue steps, ends;

    struct ledger_room *by_id;
    struct ledger_room *dirty;
    struct ledger_undo *undo;
    bool open; /* a transaction runs */
};

void ledger_init(struct ledger *ledger, int64_t ttl_ms);

/* Frees every room, whatever was not committed included. */
void ledger_clear(struct ledger *ledger);

/* The room called `id`, or NULL. */
struct ledger_room *ledger_find(const struct ledger *ledger, const char *id);

/* The room as a value. */
void ledger_read(const struct ledger_room *entry, struct room *out);

/*
 * Makes `room` what its id stands for from now on, new or not. `empty_since` (monotonic ms) counts
 * while nobody is in it. Outside a transaction it is taken for something that the store has, or
 * need not have: neither undone nor dirty.
 */
struct ledger_room *ledger_put(struct ledger *ledger, const struct room *room, int64_t empty_since);

/* Closes a room. Only in a transaction. */
void ledger_remove(struct ledger *ledger, struct ledger_room *entry);

/* A transaction: what happens after `begin` is kept by `commit`, or undone by `rollback`. They do
 * not nest. */
void ledger_begin(struct ledger *ledger);
void ledger_commit(struct ledger *ledger);
void ledger_rollback(struct ledger *ledger);

/* The store has every dirty room now: none is any more. Only outside a transaction, or just before
 * its commit. */
void ledger_written(struct ledger *ledger);

#endif
