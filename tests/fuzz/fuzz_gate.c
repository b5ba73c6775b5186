/*
 * Bytes as a sequence of what a broker asks its gate: connects with good and bad tokens,
 * take-overs, subscribes, publishes and deliveries of any topic and size, states from roomd,
 * losses, ticks, reloads of the keys.
 *
 * Nobody gets in but by a token of his own, whole, in time and by a key that is still there; who is
 * not the newest connection of its id may do nothing; whatever passes is allowed by the table with
 * the members that roomd named, and no larger than the contract lets its kind be. A member whose
 * connection ended is told about once, and nobody else is.
 */
#include "fake_broker.h"

#include "common/access.h"
#include "common/json_scan.h"
#include "common/messages.h"
#include "common/token.h"

#define NOW       INT64_C(2000000000)
#define TTL_S     3600
#define SLOTS     6
#define ROOMS     2
#define NEW_KEY   "new AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
#define OLD_KEY   "old BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA\n"
#define OTHER_KEY "new CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA\n"

static const char *const rooms[ROOMS] = {"r1", "r2"};
static const char *const ids[] = {"p-a", "p-b", "p-c", "d-d", "s-roomd-1", "s-httpd-1", "o-op"};
static const char *const bad_ids[] = {"+", "#", "", "p-", "x-a", "p-a/b", "$SYS", NULL};
#define IDS COUNT_OF(ids)

/* How a token came to be. */
enum forge { BY_NEW, BY_OLD, EXPIRED, NOT_OURS, FORGES, OF_ANOTHER = FORGES, NONE, GARBLED, WAYS };

static char tokens[IDS][ROOMS][FORGES][TOKEN_MAX + 1];
static char config_path[64], keys_path[64];
static int keys_file;

/* What is known of one who was let in. */
struct guest {
    const char *room;
    enum forge forge;
    const char *token;
    int64_t expires_at;
};

static struct {
    struct mosquitto clients[SLOTS];
    struct guest guests[IDS]; /* by their newest connection */
    int newest[IDS];          /* its slot, or -1 once that is another's */
    int known[IDS];           /* its slot as the gate has it, or -1 */
    bool left[IDS];           /* it ended since the last tick */
    bool has_old_key;
    bool reloading; /* until the next tick */
    bool ticking;
    struct msg_room states[ROOMS]; /* what roomd named last */
    unsigned told[ROOMS][IDS];     /* times that it was said to be gone, in this tick */
} world;

/* ---- tokens ---- */

static int64_t token_end(enum forge forge)
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

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const keys[FORGES] = {NEW_KEY, OLD_KEY, NEW_KEY, OTHER_KEY};
    char text[128];
    (void)argc;
    (void)argv;
    keys_file = fake_file(keys_path);
    for (unsigned forge = 0; forge < FORGES; forge++) {
        struct keyring *keyring = load_keys(keys[forge]);
        for (unsigned id = 0; id < IDS; id++) {
            for (unsigned room = 0; room < ROOMS; room++) {
                struct token_claims claims = {.role = peer_id_role(ids[id], strlen(ids[id])),
                                              .issued_at = NOW - 10,
                                              .expires_at = token_end((enum forge)forge)};
                strcpy(claims.peer_id, ids[id]);
                strcpy(claims.room, claims.role == ROLE_PEER ? rooms[room] : "");
                PROMISE(token_sign(keyring, &claims, tokens[id][room][forge]) == STATUS_OK);
            }
        }
        keyring_free(keyring);
    }
    snprintf(text, sizeof text, "[parley]\nkeys_file = %s\nlog_level = debug\n", keys_path);
    fake_file_write(fake_file(config_path), text);
    return 0;
}

/* ---- what the gate says ---- */

static unsigned id_index(const char *id)
{
    unsigned i = 0;
    while (i < IDS && strcmp(ids[i], id) != 0)
        i++;
    return i;
}

static bool is_member(void *ctx, const char *room, const char *peer_id)
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

static bool is_connected(unsigned id)
{
    return world.newest[id] >= 0 && world.clients[world.newest[id]].connected;
}

static void on_published(const char *client_id, const char *name, const char *payload, size_t len)
{
    struct topic topic;
    PROMISE(topic_parse(name, strlen(name), &topic) && json_scan(payload, len) == JSON_FINE);
    if (client_id) { /* an error, for the one who asked */
        PROMISE(topic.kind == TOPIC_ROOM_ERROR || topic.kind == TOPIC_LOBBY_ERROR);
        PROMISE(strcmp(topic.peer, client_id) == 0 && is_connected(id_index(client_id)));
        return;
    }
    PROMISE(topic.kind == TOPIC_GONE && world.ticking);
    unsigned id = id_index(topic.peer), room = strcmp(topic.room, rooms[0]) == 0 ? 0 : 1;
    PROMISE(id < IDS && world.left[id] && !is_connected(id));
    PROMISE(is_member(NULL, topic.room, topic.peer));
    world.told[room][id]++;
}

static void on_ended(struct mosquitto *client)
{
    unsigned id = id_index(client->id);
    if (world.newest[id] == (int)(client - world.clients))
        world.left[id] = true;
}

/* ---- connections ---- */

static bool ask_auth(struct mosquitto *client)
{
    struct mosquitto_evt_basic_auth event = {.client = client,
                                             .username = (char *)(uintptr_t)client->user_name,
                                             .password = client->password};
    int rc = fake_broker_event(MOSQ_EVT_BASIC_AUTH, &event);
    PROMISE(rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_AUTH);
    return rc == MOSQ_ERR_SUCCESS;
}

/* Is a token of this making good now, whatever else? */
static bool is_good(const struct guest *guest)
{
    return (guest->forge == BY_NEW || (guest->forge == BY_OLD && world.has_old_key)) &&
           fake_broker.wall_s < guest->expires_at;
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
static void let_in(unsigned slot, unsigned id, const struct guest *guest)
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

static void do_connect(struct input *in)
{
    static const int keepalives[] = {30, 5, 120, 4, 121, 0, 65535, 60};
    static const int protocols[] = {4, 5, 3, 6};
    unsigned slot = input_choice(in, SLOTS), who = input_byte(in), how = input_byte(in);
    unsigned line = input_byte(in), id = who % IDS, room = who / IDS % ROOMS;
    struct mosquitto *client = &world.clients[slot];
    struct guest guest = {.room = rooms[room], .forge = (enum forge)(how % WAYS)};
    guest.expires_at = token_end(guest.forge);
    if (client->connected)
        return;
    unsigned bearer = guest.forge == OF_ANOTHER ? (id + 1) % IDS : id;
    char *token = tokens[bearer][room][guest.forge < FORGES ? guest.forge : BY_NEW];
    char *garbled = guest.forge == GARBLED ? input_line(in) : NULL;
    bool bad_id = line & 0x80, others_name = line & 0x40;
    client->id = bad_id ? bad_ids[how / WAYS % COUNT_OF(bad_ids)] : ids[id];
    client->user_name = others_name ? ids[(id + 1) % IDS] : client->id;
    client->password = guest.forge == NONE ? NULL : garbled ? garbled : token;
    guest.token = client->password;
    client->keepalive = keepalives[line % COUNT_OF(keepalives)];
    client->protocol = protocols[line / 8 % COUNT_OF(protocols)];
    bool expected = is_good(&guest) && !bad_id && !others_name && client->protocol >= 4 &&
                    client->protocol <= 5 && client->keepalive >= 5 && client->keepalive <= 120;
    /*
     * While it reloads, the gate cannot tell a newcomer with an id's own pointer and token from
     * that id's kept session: only other tokens are tried there.
     */
    bool as_kept = world.reloading && world.known[id] == (int)slot && !bad_id && client->password &&
                   strcmp(client->password, world.guests[id].token) == 0;
    bool granted = !as_kept && ask_auth(client);
    PROMISE(!granted || expected);
    if (granted)
        let_in(slot, id, &guest);
    else
        client->id = NULL; /* as the broker forgets it */
    free(garbled);
}

static void do_end(struct input *in)
{
    struct mosquitto *client = &world.clients[input_choice(in, SLOTS)];
    fake_broker_end(client);
}

/* ---- what clients do ---- */

/* The contract's sizes, by the topic's event, once more. */
static size_t size_limit(enum topic_kind kind)
{
    switch (kind) {
    case TOPIC_OFFER:
    case TOPIC_ANSWER:
    case TOPIC_NONE:
        return 65536;
    case TOPIC_CANDIDATE:
        return 16384;
    case TOPIC_ROOM_STATE:
    case TOPIC_JOINED:
    case TOPIC_ROOMD_STATS:
        return 8192;
    default:
        return 4096;
    }
}

/* A topic by choices, or the text that follows; to be freed. */
static char *read_topic(struct input *in)
{
    unsigned how = input_byte(in), kind = input_byte(in);
    if (how & 0x80)
        return input_line(in);
    struct topic topic = {.kind = (enum topic_kind)(1 + kind % (TOPIC_KIND_COUNT - 1))};
    strcpy(topic.room, rooms[how % ROOMS]);
    strcpy(topic.peer, ids[how / ROOMS % IDS]);
    strcpy(topic.from, ids[(kind / TOPIC_KIND_COUNT + how / 32) % IDS]);
    char *name = malloc(TOPIC_MAX + 1);
    PROMISE(name != NULL && topic_format(&topic, name));
    return name;
}

static struct access_who who_is(unsigned id)
{
    enum role role = peer_id_role(ids[id], strlen(ids[id]));
    const char *room = role == ROLE_PEER ? world.guests[id].room : "";
    return (struct access_who){.role = role, .peer_id = ids[id], .room = room};
}

static bool check_acl(unsigned slot, int access, const char *topic, size_t len, bool retain)
{
    struct mosquitto *client = &world.clients[slot];
    bool passed = ask_acl(client, access, topic, len, retain) == MOSQ_ERR_SUCCESS;
    if (!passed || access == MOSQ_ACL_UNSUBSCRIBE)
        return passed;
    enum access_op op = access == MOSQ_ACL_WRITE  ? ACCESS_WRITE
                        : access == MOSQ_ACL_READ ? ACCESS_READ
                                                  : ACCESS_SUBSCRIBE;
    struct topic parsed;
    topic_parse(topic, strlen(topic), &parsed);
    unsigned id = id_index(client->id);
    PROMISE(world.newest[id] == (int)slot);
    struct access_who who = who_is(id);
    PROMISE(access_decide(&who, op, topic, retain && op == ACCESS_WRITE, is_member, NULL) ==
            ACCESS_ALLOWED);
    PROMISE(op != ACCESS_WRITE || len <= size_limit(parsed.kind));
    return true;
}

static void do_ask(struct input *in)
{
    static const int accesses[] = {MOSQ_ACL_WRITE, MOSQ_ACL_READ, MOSQ_ACL_SUBSCRIBE,
                                   MOSQ_ACL_UNSUBSCRIBE};
    static const uint32_t sizes[] = {0,          2,       4096,          4097,    8192,
                                     8193,       1 << 14, (1 << 14) + 1, 1 << 16, (1 << 16) + 1,
                                     UINT32_MAX, 300};
    unsigned slot = input_choice(in, SLOTS), how = input_byte(in), size = input_byte(in);
    char *topic = read_topic(in);
    if (world.clients[slot].id) /* the broker asks about who was let in */
        check_acl(slot, accesses[how % 4], topic, sizes[size % COUNT_OF(sizes)], how & 0x80);
    free(topic);
}

/* ---- what roomd says ---- */

/* A whole state with the members that a byte chooses, or the text that follows. */
static char *read_state(struct input *in, unsigned room)
{
    unsigned who = input_byte(in), how = input_byte(in);
    if (how & 0x80)
        return input_line(in);
    struct msg_room state = {.rev = 1, .max_peers = 2, .peer_count = how % 3};
    strcpy(state.room_id, rooms[how & 0x40 ? 1 - room : room]);
    for (unsigned i = 0; i < state.peer_count; i++) {
        strcpy(state.peers[i].peer_id, ids[(who >> 4 * i) % 16 % IDS]);
        strcpy(state.peers[i].peer_name, "N");
    }
    char *text = malloc(OUTBOUND_MAX);
    PROMISE(text != NULL && msg_encode_room(&state, text, OUTBOUND_MAX) > 0);
    return text;
}

static void do_state(struct input *in)
{
    unsigned slot = input_choice(in, SLOTS), room = input_choice(in, ROOMS);
    char *text = read_state(in, room), name[TOPIC_MAX + 1];
    struct mosquitto *client = &world.clients[slot];
    struct topic topic = {.kind = TOPIC_ROOM_STATE};
    strcpy(topic.room, rooms[room]);
    PROMISE(topic_format(&topic, name));
    size_t len = strlen(text);
    if (client->connected && check_acl(slot, MOSQ_ACL_WRITE, name, len, true)) {
        struct mosquitto_evt_message event = {.client = client,
                                              .topic = name,
                                              .payload = text,
                                              .payloadlen = (uint32_t)len,
                                              .qos = 1,
                                              .retain = true};
        struct msg_room state;
        struct payload payload = {text, len};
        bool fine = len > 0 && msg_decode_room(payload, &state, NULL) == STATUS_OK &&
                    strcmp(state.room_id, rooms[room]) == 0;
        int rc = fake_broker_event(MOSQ_EVT_MESSAGE, &event);
        PROMISE(rc == (fine || len == 0 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED));
        PROMISE(strcmp(client->id, "s-roomd-1") == 0);
        if (!fine)
            memset(&state, 0, sizeof state);
        world.states[room] = state;
    }
    free(text);
}

/* ---- time and keys ---- */

static void do_tick(struct input *in)
{
    static const int64_t steps_s[] = {0, 1, 600, TTL_S, 3 * TTL_S};
    struct mosquitto_evt_tick event = {0};
    int64_t step = steps_s[input_choice(in, COUNT_OF(steps_s))];
    fake_broker.wall_s += step;
    fake_broker.monotonic_ms += step * 1000;
    memset(world.told, 0, sizeof world.told);
    world.ticking = true;
    PROMISE(fake_broker_event(MOSQ_EVT_TICK, &event) == MOSQ_ERR_SUCCESS);
    world.ticking = world.reloading = false;
    for (unsigned id = 0; id < IDS; id++) {
        enum role role = peer_id_role(ids[id], strlen(ids[id]));
        for (unsigned room = 0; room < ROOMS; room++) {
            bool its_room =
                role == ROLE_DEVICE || (role == ROLE_PEER && world.guests[id].room == rooms[room]);
            bool expected = world.left[id] && its_room && is_member(NULL, rooms[room], ids[id]);
            PROMISE(world.told[room][id] == expected);
        }
        world.left[id] = false;
    }
}

/* SIGHUP: the broker asks about everybody again. Who came by a key that is gone is put out. */
static void do_reload(struct input *in)
{
    struct mosquitto_evt_reload event = {0};
    unsigned how = input_byte(in);
    world.has_old_key = how & 1;
    world.reloading = true;
    fake_file_write(keys_file, world.has_old_key ? NEW_KEY OLD_KEY : NEW_KEY);
    PROMISE(fake_broker_event(MOSQ_EVT_RELOAD, &event) == MOSQ_ERR_SUCCESS);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        struct mosquitto *client = &world.clients[slot];
        if (!client->connected)
            continue;
        const struct guest *guest = &world.guests[id_index(client->id)];
        bool stays = guest->expires_at <= fake_broker.wall_s || is_good(guest);
        PROMISE(ask_auth(client) == stays);
        if (!stays)
            fake_broker_end(client);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const actions[])(struct input * in) = {do_connect, do_ask,  do_state,
                                                         do_end,     do_tick, do_reload};
    struct input in = {data, size};
    memset(&world, 0, sizeof world);
    memset(world.newest, -1, sizeof world.newest);
    memset(world.known, -1, sizeof world.known);
    world.has_old_key = true;
    fake_file_write(keys_file, NEW_KEY OLD_KEY);
    fake_broker = (struct fake_broker){.clients = world.clients,
                                       .client_count = SLOTS,
                                       .tells_replaced = input_byte(&in) & 1,
                                       .wall_s = NOW,
                                       .monotonic_ms = 1000,
                                       .published = on_published,
                                       .ended = on_ended};
    fake_broker_start(config_path);
    while (in.left > 0)
        actions[input_choice(&in, COUNT_OF(actions))](&in);
    fake_broker_stop();
    return 0;
}
