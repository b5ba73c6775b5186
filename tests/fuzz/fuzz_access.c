/*
 * access_decide on any name: two bytes choose who asks, for what, and who is a member; the rest is
 * the topic or filter.
 *
 * The contract's table ("Tokens") is written down here a second time, the other way round: not
 * which patterns a name fits, but the few texts that an asker may name at all, put together from
 * its own id and room. Nothing else is ever allowed.
 */
#include "fuzz.h"

#include "common/access.h"

#define LONG_ID "p-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"

/* Who may ask. The last ones are nobody at the broker. */
static const struct access_who askers[] = {
    {ROLE_PEER, "p-me", "r1"},       {ROLE_PEER, LONG_ID, "r-2_"},  {ROLE_DEVICE, "d-me", ""},
    {ROLE_SERVICE, "s-roomd-1", ""}, {ROLE_SERVICE, "s-httpd", ""}, {ROLE_OPERATOR, "o-me", ""},
    {ROLE_SERVICE, "s-else", ""},    {ROLE_SERVICE, "s-room", ""},  {ROLE_NONE, "p-me", "r1"},
};

/* Who is a member, and what was asked about. */
enum { NOBODY, EVERYBODY, ONLY_SELF, ONLY_OTHERS, MEMBERS_KINDS };

struct members {
    unsigned kind;
    const char *self;
    const struct topic *topic; /* the only one that may be asked about */
};

static bool is_member(void *ctx, const char *room, const char *peer_id)
{
    const struct members *members = ctx;
    PROMISE(members->topic->from[0] != '\0' && strcmp(room, members->topic->room) == 0);
    PROMISE(strcmp(peer_id, members->topic->peer) == 0 ||
            strcmp(peer_id, members->topic->from) == 0);
    bool is_self = strcmp(peer_id, members->self) == 0;
    return members->kind == EVERYBODY || (members->kind == ONLY_SELF && is_self) ||
           (members->kind == ONLY_OTHERS && !is_self);
}

/* Is `name` the text `form`, whose letters S, R, O and * stand for self, room, any other id and any
 * level? A /# at its end stands for whatever follows. That names are well-formed is checked apart.
 */
static bool is_form(const struct access_who *who, const char *name, const char *form)
{
    for (; *form; form++) {
        if (strcmp(form, "/#") == 0)
            return *name == '\0' || *name == '/';
        if (!strchr("SRO*", *form)) {
            if (*name++ != *form)
                return false;
            continue;
        }
        size_t len = strcspn(name, "/");
        const char *own = *form == 'S' ? who->peer_id : *form == 'R' ? who->room : NULL;
        bool any = !own || (own == who->room && who->role == ROLE_DEVICE);
        bool fits = *form == '*' ? name[0] != '#'
                    : any        ? id_is_valid(name, len)
                                 : strlen(own) == len && memcmp(name, own, len) == 0;
        if (!fits ||
            (*form == 'O' && strlen(who->peer_id) == len && memcmp(name, who->peer_id, len) == 0))
            return false;
        name += len;
    }
    return *name == '\0';
}

static bool is_one_of(const struct access_who *who, const char *name, const char *const *forms)
{
    for (; *forms; forms++) {
        if (is_form(who, name, *forms))
            return true;
    }
    return false;
}

/* ---- the table, by asker and operation; names below parley/v1/ ---- */

static const char *const signals[] = {"rooms/R/to/O/offer/S", "rooms/R/to/O/answer/S",
                                      "rooms/R/to/O/candidate/S", NULL};
static const char *const peer_writes[] = {"rooms/R/from/S/join", "rooms/R/from/S/cut-the-call",
                                          "rooms/R/from/S/gone", NULL};
static const char *const peer_reads[] = {"rooms/R/state", "rooms/R/to/S/#", "roomd/status", NULL};
static const char *const device_writes[] = {"devices/S/status", "devices/S/ring-answer",
                                            "devices/S/call", "lobby/from/S/create-room", NULL};
static const char *const device_reads[] = {"devices/S/#", "lobby/to/S/#", NULL};
static const char *const device_filters[] = {"rooms/*/to/S/#", NULL};
static const char *const httpd_writes[] = {"lobby/from/S/create-room", "devices/*/ring", NULL};
static const char *const httpd_reads[] = {
    "rooms/*/state", "devices/*/status", "devices/*/ring-answer", "roomd/#", "lobby/to/S/#", NULL};
static const char *const operator_writes[] = {"devices/*/ring", NULL};

static bool is_service(const struct access_who *who, const char *prefix)
{
    return who->role == ROLE_SERVICE && strncmp(who->peer_id, prefix, strlen(prefix)) == 0;
}

/* May `who` ever do `op` on `name` (below the root), members or not? */
static bool may_ever(const struct access_who *who, enum access_op op, const char *name)
{
    bool peer = who->role == ROLE_PEER, device = who->role == ROLE_DEVICE;
    if (is_service(who, "s-roomd"))
        return true;
    if (is_service(who, "s-httpd"))
        return op == ACCESS_WRITE ? is_one_of(who, name, httpd_writes)
                                  : is_one_of(who, name, httpd_reads);
    if (who->role == ROLE_OPERATOR)
        return op != ACCESS_WRITE || is_one_of(who, name, operator_writes);
    if (!peer && !device)
        return false;
    if (op == ACCESS_WRITE)
        return is_one_of(who, name, peer_writes) || is_one_of(who, name, signals) ||
               (device && is_one_of(who, name, device_writes));
    return is_one_of(who, name, peer_reads) || (device && is_one_of(who, name, device_reads)) ||
           (device && op == ACCESS_SUBSCRIBE && is_one_of(who, name, device_filters));
}

static bool is_signal(enum topic_kind kind)
{
    return kind == TOPIC_OFFER || kind == TOPIC_ANSWER || kind == TOPIC_CANDIDATE;
}

static void check(const struct access_who *who, enum access_op op, const char *name, bool retain,
                  unsigned kind_of_members)
{
    struct topic topic;
    bool parsed = topic_parse(name, strlen(name), &topic);
    struct members members = {kind_of_members, who->peer_id, &topic};
    enum access_answer answer = access_decide(who, op, name, retain, is_member, &members);
    PROMISE(answer == ACCESS_DENIED || answer == ACCESS_ALLOWED || answer == ACCESS_NOT_A_MEMBER);

    bool below = strncmp(name, TOPIC_ROOT, strlen(TOPIC_ROOT)) == 0;
    bool formed = op == ACCESS_SUBSCRIBE ? topic_filter_within(name, TOPIC_ROOT "#") : parsed;
    bool keeps = !retain || op == ACCESS_SUBSCRIBE ||
                 (parsed && (topic.kind == TOPIC_ROOM_STATE || topic.kind == TOPIC_DEVICE_STATUS ||
                             topic.kind == TOPIC_ROOMD_STATUS || topic.kind == TOPIC_ROOMD_STATS));
    bool may = below && formed && keeps && may_ever(who, op, name + strlen(TOPIC_ROOT));

    /* What passes between members: for people and devices, never for who serves or watches. */
    bool between = (who->role == ROLE_PEER || who->role == ROLE_DEVICE) && op != ACCESS_SUBSCRIBE &&
                   is_signal(topic.kind);
    bool both = kind_of_members == EVERYBODY ||
                (kind_of_members == ONLY_SELF && strcmp(topic.peer, topic.from) == 0);
    PROMISE(answer == (!may               ? ACCESS_DENIED
                       : between && !both ? ACCESS_NOT_A_MEMBER
                                          : ACCESS_ALLOWED));
    /* Nobody to ask: nobody is a member. */
    PROMISE(!between || access_decide(who, op, name, retain, NULL, NULL) != ACCESS_ALLOWED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    const struct access_who *who = &askers[input_choice(&in, COUNT_OF(askers))];
    unsigned how = input_byte(&in);
    char *name = input_line(&in);
    check(who, (enum access_op)(how % 3), name, how / 3 % 2, how / 6 % MEMBERS_KINDS);
    free(name);
    return 0;
}
