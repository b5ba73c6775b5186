/*
 * clients: who is connected to the broker, by client id: which connection it is, and what its token
 * said.
 *
 * A pure table without I/O. The broker names a connection by a pointer, which it may use again for
 * another connection once this one is gone; so an answer always takes the id and the pointer
 * together. An entry outlives its connection, since the broker asks about the session that is kept:
 * may this message be queued, is this will to be sent. It goes some time after its connection: that
 * of a person soon after the seat, for people come and go, each with an id of its own; that of
 * anybody else after CLIENT_KEEP_MS.
 */
#ifndef PARLEY_CLIENTS_H
#define PARLEY_CLIENTS_H

#include "meter.h"

#include "common/access.h"
#include "common/status.h"
#include "common/token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer than the broker keeps a session (mosquitto.conf, persistent_client_expiration: one hour).
 */
#define CLIENT_KEEP_MS (2 * INT64_C(3600) * 1000)

struct clients;

/* An empty table, to be freed by clients_free; NULL when there is no memory. People are remembered
 * for `people_keep_ms` after their connection. */
struct clients *clients_new(int64_t people_keep_ms);

/* NULL is fine. */
void clients_free(struct clients *clients);

#define CLIENT_DIGEST_BYTES 32

/* How a client hears of roomd's status: what it has subscribed to (roomd_status.h). */
enum hearing {
    HEARS_INBOX = 1 << 0,  /* its own inbox, in which the gate tells it */
    HEARS_STATUS = 1 << 1, /* `roomd/status` itself, which the broker tells it */
};

/* What the gate may know of one client. Lives until the next call that changes the table. */
struct client {
    struct access_who who;
    int64_t expires_at;     /* the token's, seconds since 1970 */
    const void *connection; /* the broker's pointer, compared and never followed */
    unsigned char token_digest[CLIENT_DIGEST_BYTES]; /* SHA-256 of the token it came with */
    bool connected;
    unsigned char hears; /* of enum hearing, one or both */
    bool is_new;         /* has not said yet, since it connected, which it hears */
    struct meter meter;  /* outlives its connections */
};

/*
 * `connection` is now the connection of `claims->peer_id`, in place of any other; it came with
 * `token`.
 * STATUS_INTERNAL when there is no memory.
 */
enum status clients_put(struct clients *clients, const struct token_claims *claims,
                        const char *token, const void *connection);

/* Is `token` (or NULL) the very one that `client` came with? */
bool client_came_with(const struct client *client, const char *token);

/* True while some connection of `id` has not ended. */
bool clients_is_connected(const struct clients *clients, const char *id);

/* The client called `id` when `connection` is its newest one, still connected or not; NULL when it
 * is not, or `id` is NULL. */
struct client *clients_find(struct clients *clients, const char *id, const void *connection);

/* The client called `id`, whatever its connection; NULL when none is known. */
struct client *clients_get(struct clients *clients, const char *id);

/* `client`, connected or not, wants to know something: clients_answer tells it, unless it has gone
 * by then. */
void clients_ask(struct clients *clients, struct client *client);

/* Calls `each` with every client that has asked since the last call and is connected. `each` must
 * not change the table. */
void clients_answer(struct clients *clients, void (*each)(void *ctx, const struct client *client),
                    void *ctx);

/* Calls `each` with every client, connected or not. `each` must not change the table. */
void clients_each(const struct clients *clients,
                  void (*each)(void *ctx, const struct client *client), void *ctx);

/*
 * `connection` of `id` has ended, at `now` (monotonic ms). Nothing happens when it is not the
 * newest, or has ended before: the end of a connection that was replaced is nobody's departure.
 */
void clients_leave(struct clients *clients, const char *id, const void *connection, int64_t now);

/*
 * Calls `each` with every client that left since the last call and has not come back, then forgets
 * those whose connection ended too long before `now`. `each` must not change the
 * table.
 */
void clients_settle(struct clients *clients, int64_t now,
                    void (*each)(void *ctx, const struct client *client), void *ctx);

/* How many entries there are, and how many of them are connected. */
size_t clients_count(const struct clients *clients);
size_t clients_connected_count(const struct clients *clients);

#endif
