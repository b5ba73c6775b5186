/*
 * model: three clients, the broker between, and one room under the real room_step, as a state that
 * fits 32 bytes.
 *
 * Clients are small automata that follow docs/protocol.md: they join, hang up, lose their
 * connection and come back, reload (session 2 after session 1), join again when roomd shows a new
 * epoch, and leave when the other's cut-the-call says so. The broker keeps each client's messages
 * in order, and may deliver the last ones again after roomd was away. roomd may die at any moment:
 * before an event is committed, or after it and before everybody was told. A standby may take over
 * while roomd is stopped in the middle of an event, which wakes later and would go on. The broker may
 * die, too. The store may be lost with roomd: then seats bring the room back (rule 7). Grace ends
 * whenever it likes.
 *
 * Clients are alike, so states that differ only in who is who are one state: a client's part holds
 * its seat as well, and parts are kept sorted.
 */
#ifndef PARLEY_SEARCH_MODEL_H
#define PARLEY_SEARCH_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CLIENTS 3

/* One packed part a client, and what is nobody's. */
struct packed {
    uint64_t part[CLIENTS];
    uint64_t rest;
};

enum action_kind {
    ACTION_START,     /* the page is opened and joins */
    ACTION_RELOAD,    /* the page is opened anew: session 2 joins over the same client id */
    ACTION_WILL,      /* the old page's will comes at last */
    ACTION_LOSE,      /* the connection breaks */
    ACTION_RECONNECT, /* the same page connects again, and joins again if it wants to be in */
    ACTION_HANG_UP,
    ACTION_HEAR,    /* the client takes its next message: a new epoch of roomd among them */
    ACTION_DELIVER, /* roomd takes the client's next message, commits, and tells */
    ACTION_GRACE,   /* the client's time runs out (client CLIENTS: everybody's who is away) */
    ACTION_STALL,   /* from here on the broker does not learn what roomd took, so all of it comes
                       again after a crash */
    ACTION_CRASH,   /* roomd dies and comes back */
    ACTION_BROKER,  /* the broker dies and comes back */
    ACTION_OVERTAKE, /* roomd is stopped with the client's next message, and a standby takes over */
    ACTION_WAKE,     /* it goes on */
    ACTION_STORE,    /* roomd dies, its store is lost, and it comes back */
    ACTION_WINDOW,   /* the reclaim window ends */
    ACTION_RETRY,    /* the client, told to wait for that, joins again */
    ACTION_KINDS
};

/*
 * Who tells roomd that a connection ended, and whether what was on its way to the client is lost
 * with it. In life both tell, one right after the other: the second finds the client away already,
 * so one at a time covers that. At a reload the will may also come late, at any time after the new
 * page's messages (MQTT 5.0, 3.1.2.5); not where the same page returns, for that takes a waiting
 * will back.
 */
enum { GONE_BY_WILL, GONE_BY_GATE, GONE_WAYS, GONE_LATE = GONE_WAYS, RELOAD_VARIANTS };
enum { INBOX_LOST = GONE_WAYS, LOSE_VARIANTS = 2 * GONE_WAYS };

/* What roomd was doing when it died: nothing; an event that it had not committed; one that it had,
 * with the first so many of its answers told. */
enum { CRASH_IDLE, CRASH_UNCOMMITTED, CRASH_TOLD_0, CRASH_TOLD_1, CRASH_MOMENTS };

struct action {
    uint8_t kind;
    uint8_t client;
    uint8_t variant;
    bool apart; /* revs that follow each other are taken for far apart, else for adjacent */
};

/* Every action that may be possible in some state; `*count` is how many. */
const struct action *model_actions(unsigned *count);

/* What may go wrong in one walk, so many times each. */
struct budgets {
    unsigned losses;   /* of a connection, or a will that comes late */
    unsigned crashes;  /* of roomd or the broker */
    unsigned stores;   /* lost with roomd */
    unsigned standbys; /* that take over from a roomd that is stopped */
};

/* What fits when they are packed. */
#define MODEL_BUDGETS_MAX ((struct budgets){15, 7, 3, 3})

/* The start: nobody there. */
struct packed model_start(struct budgets budgets);

/* From here on a roomd that was overtaken commits all the same. */
void model_without_fence(void);

/*
 * Does `action` in `state`. False when it is not possible there. `order` says which client of
 * `state` became which of `next`.
 * `*violation` is set to what a promise that was broken is called, and not touched otherwise.
 */
bool model_apply(const struct packed *state, struct action action, struct packed *next,
                 unsigned char order[CLIENTS], const char **violation);

/* A promise that is broken once nothing is on its way, or NULL. */
const char *model_check_rest(const struct packed *state);

/* Prints the action, with the client's name, and the state. */
void model_print_action(FILE *out, struct action action, const char names[CLIENTS]);
void model_print(FILE *out, const struct packed *state, const char names[CLIENTS]);

#endif
