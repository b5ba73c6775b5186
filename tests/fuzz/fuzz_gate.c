/*
 * Bytes as a sequence of what a broker asks its gate: connects with good and bad tokens,
 * take-overs, subscribes, publishes and deliveries of any topic and size, states from roomd,
 * losses, ticks, reloads of the keys.
 *
 * Nobody gets in but by a token of his own, whole, in time and by a key that is still there; who is
 * not the newest connection of its id may do nothing; whatever passes is allowed by the table with
 * the members that roomd named, and no larger than the contract lets its kind be; and all that is
 * so does pass, unless limits are on; then no client has more let through than its allowance. A
 * member whose connection ended is told about once, and nobody else is; a second roomd is not let
 * in.
 */
#include "gate_world.h"

#include "common/bundle.h"

/* A session outlives its connection at the broker by no more (mosquitto.conf,
 * persistent_client_expiration). */
#define SESSION_KEPT_MS (INT64_C(3600) * 1000)

/* The gate remembers people for no longer than this (the default grace, and two minutes). */
#define PEOPLE_KEPT_MS (INT64_C(150) * 1000)

/* ---- connections ---- */

static const char *const bad_ids[] = {"+", "#", "", "p-", "x-a", "p-a/b", "$SYS", NULL};

static void do_connect(struct input *in)
{
    static const int keepalives[] = {30, 5, 120, 4, 121, 0, 65535, 60};
    static const int protocols[] = {4, 5, 3, 6};
    unsigned slot = input_choice(in, SLOTS), who = input_byte(in), how = input_byte(in);
    unsigned line = input_byte(in), id = who % IDS, room = who / IDS % ROOMS;
    struct mosquitto *client = &world.clients[slot];
    struct guest guest = {.room = rooms[room], .forge = (enum forge)(how % WAYS)};
    guest.expires_at = world_token_end(guest.forge);
    if (client->connected)
        return;
    client->is_session = false;
    bool is_in = world.newest[id] >= 0 && world.clients[world.newest[id]].connected;
    bool taken = is_in && strncmp(ids[id], "s-roomd", 7) == 0;
    unsigned bearer = guest.forge == OF_ANOTHER ? (id + 1) % IDS : id;
    char *token = world_token(bearer, room, guest.forge < FORGES ? guest.forge : BY_NEW);
    char *garbled = guest.forge == GARBLED ? input_line(in) : NULL;
    bool bad_id = line & 0x80, others_name = line & 0x40;
    client->id = bad_id ? bad_ids[how / WAYS % COUNT_OF(bad_ids)] : ids[id];
    client->user_name = others_name ? ids[(id + 1) % IDS] : client->id;
    client->password = guest.forge == NONE ? NULL : garbled ? garbled : token;
    guest.token = client->password;
    client->keepalive = keepalives[line % COUNT_OF(keepalives)];
    client->protocol = protocols[line / 8 % COUNT_OF(protocols)];
    bool expected = world_is_good(&guest) && !bad_id && !others_name && !taken &&
                    client->protocol >= 4 && client->protocol <= 5 && client->keepalive >= 5 &&
                    client->keepalive <= 120;
    /*
     * While it reloads, the gate cannot tell a newcomer with an id's own pointer and token from
     * that id's kept session: only other tokens are tried there.
     */
    bool as_kept = world.reloading && world.known[id] == (int)slot && !bad_id && client->password &&
                   strcmp(client->password, world.guests[id].token) == 0;
    /* Nor a forgotten session from somebody new over TCP: it lets either stay, with no rights. */
    bool remembered = is_in || (world.known[id] >= 0 &&
                                fake_broker.monotonic_ms - world.left_at[id] <= PEOPLE_KEPT_MS);
    bool forgotten = world.reloading && !remembered && client->protocol != 5 &&
                     peer_id_role(ids[id], strlen(ids[id])) == ROLE_PEER;
    bool granted = !as_kept && !forgotten && world_ask_auth(client);
    PROMISE(!granted || expected);
    if (granted)
        world_let_in(slot, id, &guest);
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
        world_ask_acl(slot, accesses[how % 4], topic, sizes[size % COUNT_OF(sizes)], how & 0x80);
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

/* `payload` goes out on `topic`, as the broker sees it. Not when it may not, or is not here. */
static bool say(unsigned slot, const struct topic *topic, struct payload payload, int *rc)
{
    struct mosquitto *client = &world.clients[slot];
    char name[TOPIC_MAX + 1];
    bool retain = topic_is_retained(topic->kind);
    PROMISE(topic_format(topic, name));
    if (!client->connected || !world_ask_acl(slot, MOSQ_ACL_WRITE, name, payload.len, retain))
        return false;
    PROMISE(strcmp(client->id, "s-roomd-1") == 0);
    struct mosquitto_evt_message event = {.client = client,
                                          .topic = name,
                                          .payload = (void *)(uintptr_t)payload.text,
                                          .payloadlen = (uint32_t)payload.len,
                                          .qos = 1,
                                          .retain = retain};
    *rc = fake_broker_event(MOSQ_EVT_MESSAGE, &event);
    return true;
}

static void do_state(struct input *in)
{
    unsigned slot = input_choice(in, SLOTS), room = input_choice(in, ROOMS);
    char *text = read_state(in, room);
    struct topic topic = {.kind = TOPIC_ROOM_STATE};
    struct payload payload = {text, strlen(text)};
    int rc;
    strcpy(topic.room, rooms[room]);
    if (say(slot, &topic, payload, &rc))
        PROMISE(rc ==
                (world_take_state(rooms[room], payload) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED));
    free(text);
}

/* What the gate has to make of a bundle: how much of it is passed on. */
static unsigned expect_of(struct payload rest)
{
    struct topic topic;
    struct payload payload;
    unsigned count = 0;
    while (bundle_next(&rest, &topic, &payload))
        count += topic.kind != TOPIC_ROOM_STATE || world_take_state(topic.room, payload);
    return count;
}

/* A state, and whatever follows. */
static void do_bundle(struct input *in)
{
    static struct bundle bundle;
    static const struct topic to_gate = {.kind = TOPIC_GATE_PUBLISH};
    unsigned slot = input_choice(in, SLOTS), room = input_choice(in, ROOMS);
    char *text = read_state(in, room), *more = input_line(in);
    struct topic topic = {.kind = TOPIC_ROOM_STATE};
    int rc;
    bundle.len = 0;
    strcpy(topic.room, rooms[room]);
    bundle_add(&bundle, &topic, text, strlen(text));
    size_t len = strlen(more);
    if (len + 1 <= sizeof bundle.text - bundle.len) {
        memcpy(bundle.text + bundle.len, more, len);
        bundle.len += len;
        bundle.text[bundle.len++] = '\n';
    }
    world.unpacking = true;
    world.unpacked = 0;
    if (say(slot, &to_gate, (struct payload){bundle.text, bundle.len}, &rc)) {
        PROMISE(rc == MOSQ_ERR_ACL_DENIED); /* nobody else gets it */
        PROMISE(world.unpacked == expect_of((struct payload){bundle.text, bundle.len}));
    }
    world.unpacking = false;
    free(more);
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
    if (step > 0)
        memset(world.passed, 0, sizeof world.passed);
    world.ticking = true;
    PROMISE(fake_broker_event(MOSQ_EVT_TICK, &event) == MOSQ_ERR_SUCCESS);
    world.ticking = world.reloading = false;
    for (unsigned id = 0; id < IDS; id++) {
        enum role role = peer_id_role(ids[id], strlen(ids[id]));
        for (unsigned room = 0; room < ROOMS; room++) {
            bool its_room =
                role == ROLE_DEVICE || (role == ROLE_PEER && world.guests[id].room == rooms[room]);
            bool expected =
                world.left[id] && its_room && world_is_member(NULL, rooms[room], ids[id]);
            PROMISE(world.told[room][id] == expected);
        }
        world.left[id] = false;
    }
}

/* What the broker asks after SIGHUP about one it knows. Who came by a key that is gone is put out.
 */
static void ask_again(struct mosquitto *client, unsigned id)
{
    const struct guest *guest = &world.guests[id];
    if (client->connected) {
        bool stays = guest->expires_at <= fake_broker.wall_s || world_is_good(guest);
        PROMISE(world_ask_auth(client) == stays);
        if (!stays)
            fake_broker_end(client);
    } else if (fake_broker.monotonic_ms - world.left_at[id] < SESSION_KEPT_MS) {
        /* To refuse a kept session corrupts Mosquitto 2.0's memory. */
        PROMISE(world_ask_auth(client));
    }
}

static void do_reload(struct input *in)
{
    struct mosquitto_evt_reload event = {0};
    world_set_old_key(input_byte(in) & 1);
    world.reloading = true;
    PROMISE(fake_broker_event(MOSQ_EVT_RELOAD, &event) == MOSQ_ERR_SUCCESS);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        struct mosquitto *client = &world.clients[slot];
        unsigned id = client->id ? world_id(client->id) : IDS;
        if (id < IDS && world.newest[id] == (int)slot)
            ask_again(client, id);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    world_prepare();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const actions[])(struct input * in) = {do_connect, do_ask,    do_state, do_end,
                                                         do_tick,    do_reload, do_bundle};
    struct input in = {data, size};
    unsigned how = input_byte(&in);
    world_start(how & 1, how & 2);
    while (in.left > 0)
        actions[input_choice(&in, COUNT_OF(actions))](&in);
    world_stop();
    return 0;
}
