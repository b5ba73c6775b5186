#include "clients.h"

#include "common/table.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/*
 * One entry an id, in the table for good and in at most one list beside it. `asking`: connected,
 * and asked since the last clients_answer. `departed`: left since the last clients_settle. `people`
 * and `others`: settled, the longest away first, so that those to be forgotten stand in front.
 */
enum standing { CONNECTED, ASKING, DEPARTED, AWAY };

struct entry {
    struct client client; /* `who` names `id` and `room` */
    char *room;           /* owned; "" where there is none */
    enum standing standing;
    int64_t left_at; /* monotonic ms, while DEPARTED or AWAY */
    struct entry *prev, *next;
    UT_hash_handle hh;
    char id[]; /* no longer than it is: there is an entry for everybody who is connected */
};

struct clients {
    struct entry *entries;
    struct entry *asking, *departed;
    struct away {
        struct entry *first;
        int64_t keep_ms;
    } people, others;
    size_t connected;
};

struct clients *clients_new(int64_t people_keep_ms)
{
    struct clients *clients = calloc(1, sizeof *clients);
    if (clients) {
        clients->people.keep_ms = people_keep_ms;
        clients->others.keep_ms = CLIENT_KEEP_MS;
    }
    return clients;
}

static void free_entry(struct entry *entry)
{
    free(entry->room);
    free(entry);
}

void clients_free(struct clients *clients)
{
    if (!clients)
        return;
    struct entry *entry, *next;
    HASH_ITER(hh, clients->entries, entry, next)
    {
        HASH_DEL(clients->entries, entry);
        free_entry(entry);
    }
    free(clients);
}

static struct entry *find(const struct clients *clients, const char *id)
{
    struct entry *entry;
    HASH_FIND_STR(clients->entries, id, entry);
    return entry;
}

static struct entry *add(struct clients *clients, const char *id)
{
    size_t len = strlen(id);
    struct entry *entry = calloc(1, sizeof *entry + len + 1);
    if (!entry)
        return NULL;
    memcpy(entry->id, id, len + 1);
    HASH_ADD_KEYPTR(hh, clients->entries, entry->id, len, entry);
    if (!entry->hh.tbl) {
        free(entry);
        return NULL;
    }
    entry->client.who.peer_id = entry->id;
    return entry;
}

static struct away *away_list(struct clients *clients, const struct entry *entry)
{
    return entry->client.who.role == ROLE_PEER ? &clients->people : &clients->others;
}

/* Takes `entry` out of the list it stands in and makes it connected. */
static void arrive(struct clients *clients, struct entry *entry)
{
    switch (entry->standing) {
    case CONNECTED:
    case ASKING:
        return;
    case DEPARTED:
        DL_DELETE(clients->departed, entry);
        break;
    case AWAY:
        DL_DELETE(away_list(clients, entry)->first, entry);
        break;
    }
    entry->standing = CONNECTED;
    entry->client.connected = true;
    clients->connected++;
}

static bool digest(const char *token, unsigned char out[static CLIENT_DIGEST_BYTES])
{
    return EVP_Digest(token, strlen(token), out, NULL, EVP_sha256(), NULL) == 1;
}

bool client_came_with(const struct client *client, const char *token)
{
    unsigned char own[CLIENT_DIGEST_BYTES];
    return token && digest(token, own) && CRYPTO_memcmp(own, client->token_digest, sizeof own) == 0;
}

enum status clients_put(struct clients *clients, const struct token_claims *claims,
                        const char *token, const void *connection)
{
    unsigned char token_digest[CLIENT_DIGEST_BYTES];
    char *room = digest(token, token_digest) ? strdup(claims->room) : NULL;
    struct entry *entry = room ? find(clients, claims->peer_id) : NULL;
    if (entry) {
        arrive(clients, entry);
    } else if (room && (entry = add(clients, claims->peer_id))) {
        entry->client.connected = true;
        clients->connected++;
    } else {
        free(room);
        return STATUS_INTERNAL;
    }
    free(entry->room);
    entry->client.who.room = entry->room = room;
    entry->client.who.role = claims->role;
    entry->client.connection = connection;
    entry->client.expires_at = claims->expires_at;
    entry->client.is_new = true;
    memcpy(entry->client.token_digest, token_digest, sizeof token_digest);
    meter_back(&entry->client.meter);
    return STATUS_OK;
}

bool clients_is_connected(const struct clients *clients, const char *id)
{
    const struct entry *entry = find(clients, id);
    return entry && entry->client.connected;
}

struct client *clients_get(struct clients *clients, const char *id)
{
    struct entry *entry = find(clients, id);
    return entry ? &entry->client : NULL;
}

struct client *clients_find(struct clients *clients, const char *id, const void *connection)
{
    struct client *client = id ? clients_get(clients, id) : NULL;
    return client && client->connection == connection ? client : NULL;
}

void clients_ask(struct clients *clients, struct client *client)
{
    struct entry *entry = find(clients, client->who.peer_id);
    if (entry->standing != CONNECTED)
        return;
    entry->standing = ASKING;
    DL_APPEND(clients->asking, entry);
}

void clients_answer(struct clients *clients, void (*each)(void *ctx, const struct client *client),
                    void *ctx)
{
    struct entry *entry, *next;
    DL_FOREACH_SAFE(clients->asking, entry, next)
    {
        each(ctx, &entry->client);
        entry->standing = CONNECTED;
        DL_DELETE(clients->asking, entry);
    }
}

void clients_each(const struct clients *clients,
                  void (*each)(void *ctx, const struct client *client), void *ctx)
{
    struct entry *entry, *next;
    HASH_ITER(hh, clients->entries, entry, next)
    {
        each(ctx, &entry->client);
    }
}

void clients_leave(struct clients *clients, const char *id, const void *connection, int64_t now)
{
    struct entry *entry = id ? find(clients, id) : NULL;
    if (!entry || entry->client.connection != connection || !entry->client.connected)
        return;
    if (entry->standing == ASKING)
        DL_DELETE(clients->asking, entry);
    entry->standing = DEPARTED;
    entry->client.connected = false;
    entry->left_at = now;
    clients->connected--;
    DL_APPEND(clients->departed, entry);
}

static void forget(struct clients *clients, struct away *away, int64_t now)
{
    struct entry *entry, *next;
    DL_FOREACH_SAFE(away->first, entry, next)
    {
        if (now - entry->left_at <= away->keep_ms)
            break;
        DL_DELETE(away->first, entry);
        HASH_DEL(clients->entries, entry);
        free_entry(entry);
    }
}

void clients_settle(struct clients *clients, int64_t now,
                    void (*each)(void *ctx, const struct client *client), void *ctx)
{
    struct entry *entry, *next;
    DL_FOREACH_SAFE(clients->departed, entry, next)
    {
        each(ctx, &entry->client);
        entry->standing = AWAY;
        DL_DELETE(clients->departed, entry);
        DL_APPEND(away_list(clients, entry)->first, entry);
    }
    forget(clients, &clients->people, now);
    forget(clients, &clients->others, now);
}

size_t clients_count(const struct clients *clients)
{
    return HASH_COUNT(clients->entries);
}

size_t clients_connected_count(const struct clients *clients)
{
    return clients->connected;
}
