/* The gate's world; see gate_world.h. */
#include "gate_world.h"

#include "common/json_scan.h"

#define MESSAGES_PER_S 24

#define NEW_KEY   "new AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
#define OLD_KEY   "old BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA\n"
#define OTHER_KEY "new CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA\n"

const char *const rooms[ROOMS] = {"r1", "r2"};
const char *const ids[IDS] = {"p-a", "p-b", "p-c", "d-d", "s-roomd-1", "s-httpd-1", "o-op"};

struct world world;

static char tokens[IDS][ROOMS][FORGES][TOKEN_MAX + 1];
static char unlimited_path[64], limited_path[64], keys_path[64];
static int keys_file;

/* ---- tokens and keys ---- */

int64_t world_token_end(enum forge forge)
{
    return forge == EXPIRED ? NOW : NOW + TTL_S;
}

static struct keyring *load_keys(const char *text)
{
    struct keyring *keyring = NULL;
    char why[256];
    fake_file_write(keys_file, text);
    PROMISE(keyring_load(keys_path, &keyring, why, sizeof why) == STATUS_OK);
    return keyring;
}

char *world_token(unsigned id, unsigned room, enum forge forge)
{
    return tokens[id][room][forge];
}

void world_set_old_key(bool is_there)
{
    world.has_old_key = is_there;
    fake_file_write(keys_file, is_there ? NEW_KEY OLD_KEY : NEW_KEY);
}

/* Is a token of this making good now, whatever else? */
bool world_is_good(const struct guest *guest)
{
    return (guest->forge == BY_NEW || (guest->forge == BY_OLD && world.has_old_key)) &&
           fake_broker.wall_s < guest->expires_at;
}

static void write_config(char path[static 64], unsigned messages, unsigned bytes)
{
    char text[512];
    snprintf(text, sizeof text,
             "[parley]\nkeys_file = %s\nlog_level = debug\n[limits]\naddress_connects_per_min = 0\n"
             "client_messages_per_s = %u\nclient_bytes_per_s = %u\n",
             keys_path, messages, bytes);
    fake_file_write(fake_file(path), text);
}

void world_prepare(void)
{
    static const char *const keys[FORGES] = {NEW_KEY, OLD_KEY, NEW_KEY, OTHER_KEY};
    keys_file = fake_file(keys_path);
    for (unsigned forge = 0; forge < FORGES; forge++) {
        struct keyring *keyring = load_keys(keys[forge]);
        for (unsigned id = 0; id < IDS; id++) {
            for (unsigned room = 0; room < ROOMS; room++) {
                struct token_claims claims = {.role = peer_id_role(ids[id], strlen(ids[id])),
                                              .issued_at = NOW - 10,
                                              .expires_at = world_token_end((enum forge)forge)};
                strcpy(claims.peer_id, ids[id]);
                strcpy(claims.room, claims.role == ROLE_PEER ? rooms[room] : "");
                PROMISE(token_sign(keyring, &claims, tokens[id][room][forge]) == STATUS_OK);
            }
        }
        keyring_free(keyring);
    }
    write_config(unlimited_path, 0, 0);
    write_config(limited_path, MESSAGES_PER_S, PAYLOAD_MAX);
}

/* ---- what the gate says ---- */

unsigned world_id(const char *id)
{
    unsigned i = 0;
    while (i < IDS && strcmp(ids[i], id) != 0)
        i++;
    return i;
}

bool world_is_member(void *ctx, const char *room, const char *peer_id)
{
    (void)ctx;
    for (unsigned i = 0; i < ROOMS; i++) {
        const struct msg_room *state = &world.states[i];
        for (unsigned k = 0; k < state->peer_count && strcmp(rooms[i], room) == 0; k++) {
            if (strcmp(state->peers[k].peer_id, peer_id) == 0)
                return true;
        }
    }
    return false;
}

bool world_take_state(const char *room, struct payload payload)
{
    struct msg_room state;
    bool fine = payload.len > 0 && msg_decode_room(payload, &state, NULL) == STATUS_OK &&
                strcmp(state.room_id, room) == 0;
    if (!fine)
        memset(&state, 0, sizeof state);
    for (unsigned i = 0; i < ROOMS; i++) {
        if (strcmp(rooms[i], room) == 0)
            world.states[i] = state;
    }
    return fine || payload.len == 0;
}

static bool is_connected(unsigned id)
{
    return world.newest[id] >= 0 && world.clients[world.newest[id]].connected;
}

static void on_published(const char *client_id, const char *name, const char *payload, size_t len)
{
    struct topic topic;
    PROMISE(topic_parse(name, strlen(name), &topic));
    if (world.unpacking) { /* whatever roomd put in */
        PROMISE(!client_id);
        world.unpacked++;
        return;
    }
    PROMISE(json_scan(payload, len) == JSON_FINE);
    if (client_id) { /* an error, for the one who asked */
        PROMISE(topic.kind == TOPIC_ROOM_ERROR || topic.kind == TOPIC_LOBBY_ERROR);
        PROMISE(strcmp(topic.peer, client_id) == 0 && is_connected(world_id(client_id)));
        return;
    }
    PROMISE(world.ticking);
    if (topic.kind == TOPIC_GATE_STATS)
        return;
    PROMISE(topic.kind == TOPIC_GONE);
    unsigned id = world_id(topic.peer), room = strcmp(topic.room, rooms[0]) == 0 ? 0 : 1;
    PROMISE(id < IDS && world.left[id] && !is_connected(id));
    PROMISE(world_is_member(NULL, topic.room, topic.peer));
    world.told[room][id]++;
}

static void on_ended(struct mosquitto *client)
{
    unsigned id = world_id(client->id);
    if (world.newest[id] != (int)(client - world.clients))
        return;
    world.left[id] = true;
    world.left_at[id] = fake_broker.monotonic_ms;
}

/* ---- what the broker asks ---- */

bool world_ask_auth(struct mosquitto *client)
{
    struct mosquitto_evt_basic_auth event = {.client = client,
                                             .username = (char *)(uintptr_t)client->user_name,
                                             .password = client->password};
    int rc = fake_broker_event(MOSQ_EVT_BASIC_AUTH, &event);
    PROMISE(rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_AUTH);
    return rc == MOSQ_ERR_SUCCESS;
}

static int ask_acl(struct mosquitto *client, int access, const char *topic, size_t len, bool retain)
{
    struct mosquitto_evt_acl_check event = {.client = client,
                                            .topic = topic,
                                            .access = access,
                                            .payloadlen = (uint32_t)len,
                                            .qos = 1,
                                            .retain = retain};
    int rc = fake_broker_event(MOSQ_EVT_ACL_CHECK, &event);
    PROMISE(rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_ACL_DENIED);
    return rc;
}

/* The broker's order: the newcomer is asked about, then the old connection of its id ends, without
 * its will. */
void world_let_in(unsigned slot, unsigned id, const struct guest *guest)
{
    struct mosquitto *old = is_connected(id) ? &world.clients[world.newest[id]] : NULL;
    for (unsigned i = 0; i < IDS; i++) {
        if (world.newest[i] == (int)slot)
            world.newest[i] = -1; /* the pointer is another connection's from now on */
    }
    if (old) {
        char will[TOPIC_MAX + 1];
        struct topic topic = {.kind = TOPIC_GONE};
        strcpy(topic.room, guest->room);
        strcpy(topic.peer, ids[id]);
        PROMISE(topic_format(&topic, will));
        PROMISE(ask_acl(old, MOSQ_ACL_WRITE, will, 2, false) == MOSQ_ERR_ACL_DENIED);
    }
    world.newest[id] = world.known[id] = (int)slot;
    world.guests[id] = *guest;
    world.clients[slot].connected = true;
    if (old)
        fake_broker_end(old);
    world.left[id] = false;
}

/* The contract's sizes, by the topic's event, once more. */
static size_t size_limit(enum topic_kind kind)
{
    switch (kind) {
    case TOPIC_OFFER:
    case TOPIC_ANSWER:
    case TOPIC_GATE_PUBLISH:
    case TOPIC_NONE:
        return 65536;
    case TOPIC_CANDIDATE:
        return 16384;
    case TOPIC_ROOM_STATE:
    case TOPIC_JOINED:
    case TOPIC_ROOMD_STATS:
    case TOPIC_GATE_STATS:
        return 8192;
    default:
        return 4096;
    }
}

static struct access_who who_is(unsigned id)
{
    enum role role = peer_id_role(ids[id], strlen(ids[id]));
    const char *room = role == ROLE_PEER ? world.guests[id].room : "";
    return (struct access_who){.role = role, .peer_id = ids[id], .room = room};
}

bool world_ask_acl(unsigned slot, int access, const char *topic, size_t len, bool retain)
{
    struct mosquitto *client = &world.clients[slot];
    bool passed = ask_acl(client, access, topic, len, retain) == MOSQ_ERR_SUCCESS;
    if (access == MOSQ_ACL_UNSUBSCRIBE)
        return passed;
    enum access_op op = access == MOSQ_ACL_WRITE  ? ACCESS_WRITE
                        : access == MOSQ_ACL_READ ? ACCESS_READ
                                                  : ACCESS_SUBSCRIBE;
    struct topic parsed;
    topic_parse(topic, strlen(topic), &parsed);
    unsigned id = world_id(client->id);
    bool is_newest = id < IDS && world.newest[id] == (int)slot;
    PROMISE(!passed || is_newest);
    if (!is_newest)
        return false;
    struct access_who who = who_is(id);
    bool may = access_decide(&who, op, topic, retain && op == ACCESS_WRITE, world_is_member,
                             NULL) == ACCESS_ALLOWED;
    bool fits = op != ACCESS_WRITE || len <= size_limit(parsed.kind);
    PROMISE(!passed || (may && fits));
    /* An honest client's largest offer passes; a session that is kept may be forgotten. */
    PROMISE(passed || !client->connected || !(may && fits) || world.limited);
    /* While the clock stands, nothing of a limit comes back. */
    if (passed && world.limited && op != ACCESS_READ && who.role != ROLE_SERVICE &&
        client->connected)
        PROMISE(++world.passed[id] <= MESSAGES_PER_S);
    return passed;
}

/* ---- start and end ---- */

void world_start(bool tells_replaced, bool limited)
{
    memset(&world, 0, sizeof world);
    memset(world.newest, -1, sizeof world.newest);
    memset(world.known, -1, sizeof world.known);
    world.limited = limited;
    world_set_old_key(true);
    fake_broker = (struct fake_broker){.clients = world.clients,
                                       .client_count = SLOTS,
                                       .tells_replaced = tells_replaced,
                                       .wall_s = NOW,
                                       .monotonic_ms = 1000,
                                       .published = on_published,
                                       .ended = on_ended};
    fake_broker_start(limited ? limited_path : unlimited_path);
}

void world_stop(void)
{
    fake_broker_stop();
}
