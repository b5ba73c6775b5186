/* roomd at work; see service.h. */
#include "service.h"

#include "intake.h"
#include "mail.h"
#include "notices.h"
#include "outbox.h"
#include "persist.h"
#include "replies.h"
#include "resync.h"
#include "rooms.h"
#include "stats.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Deadlines handled in one transaction: a restart can leave any number of them due at once. */
#define DEADLINES_MOST 256

/* How often a store that could not write is tried again. */
#define STORE_RETRY_MS 1000

/* How long the broker's loop is kept turning after somebody came: the time of a negotiation
 * (link.h, "The tick"). */
#define TURNING_MS 5000

/* How long the last words may take, and how long a silence says that they were heard. */
#define SETTLE_LONGEST_MS 300
#define SETTLE_QUIET_MS   20

struct service {
    const struct service_options *options;
    struct link *link;
    struct keyring *keyring;
    struct store *store; /* NULL until we are let in for the first time */
    struct rooms *rooms; /* empty until then */
    struct mailbox in;
    struct outbox out;
    struct stats stats;
    struct replies replies;
    struct intake intake;
    bool store_ok;
    bool draining;
    bool stop;
    enum status status;  /* what service_run returns */
    int64_t store_retry; /* monotonic ms */
    struct resync resync;
    struct notices notices;
};

static void send_out(struct service *service)
{
    outbox_send(&service->out, service->link, service->options->broker->tick_ms > 0);
}

/* ---- the store ---- */

static enum status write_dirty(struct service *service, int64_t now)
{
    if (!rooms_are_dirty(service->rooms)) {
        return STATUS_OK;
    }
    enum status status = persist_write(service->rooms, service->store, now, clock_wall_s());
    if (status == STATUS_OK) {
        service->stats.store_commits++;
    }
    return status;
}

/* New people and rooms are let in while the store writes and we are not about to leave. */
static void set_store_ok(struct service *service, bool store_ok)
{
    service->store_ok = store_ok;
    rooms_refuse(service->rooms, store_ok && !service->draining ? STATUS_OK : STATUS_UNAVAILABLE);
}

/* There is no going on: another is at work, or the store cannot be had. */
static void give_up(struct service *service)
{
    service->status = STATUS_INTERNAL;
    service->stop = true;
    mailbox_clear(&service->in); /* what we cannot know the answer to */
}

static void retry_store(struct service *service, int64_t now)
{
    if (service->store_ok || now < service->store_retry) {
        return;
    }
    service->store_retry = now + STORE_RETRY_MS;
    if (store_probe(service->store) != STATUS_OK) {
        return;
    }
    switch (write_dirty(service, now)) {
    case STATUS_OK:
        set_store_ok(service, true);
        log_info("store-recovered");
        break;
    case STATUS_FORBIDDEN:
        give_up(service);
        break;
    default:
        break;
    }
}

/* ---- a batch ---- */

static void run_batch(struct service *service, int64_t now)
{
    rooms_begin(service->rooms);
    /* While the broker is away nobody can show up, so nobody's time runs out. */
    if (link_is_connected(service->link)) {
        rooms_time(service->rooms, now, DEADLINES_MOST);
    }
    for (const struct mail *mail = service->in.first; mail != NULL; mail = mail->next) {
        intake_take(&service->intake, mail, now);
    }
}

/* Runs what arrived and what is due, as one transaction, and tells what came of it. */
static void turn(struct service *service, int64_t now)
{
    bool due = link_is_connected(service->link) && rooms_deadline(service->rooms) <= now;
    if (service->status != STATUS_OK) {
        mailbox_clear(&service->in);
        return;
    }
    if (service->in.first == NULL && !due) {
        return;
    }
    struct stats before = service->stats;
    service->replies.wall_s = clock_wall_s();
    run_batch(service, now);
    enum status written = service->store_ok ? write_dirty(service, now) : STATUS_OK;
    if (written == STATUS_FORBIDDEN) {
        give_up(service);
        return;
    }
    if (written != STATUS_OK) {
        rooms_rollback(service->rooms);
        outbox_clear(&service->out);
        service->stats = before;
        service->stats.store_failures++;
        service->store_retry = now + STORE_RETRY_MS;
        set_store_ok(service, false);
        run_batch(service, now);
    }
    rooms_commit(service->rooms);
    send_out(service);
    mailbox_clear(&service->in);
}

/* ---- the broker ---- */

static void tell_state(void *ctx, const struct room *room)
{
    replies_state(ctx, room);
}

static void tell_status(struct service *service, bool publishing)
{
    notices_tell_status(&service->notices, &service->out.mail,
                        service->draining ? ROOMD_DRAINING : ROOMD_ONLINE, publishing);
    send_out(service);
}

/*
 * Once, to find the retained states of rooms that are no more. After our own states, since the
 * broker does nothing else while it hands out all there are.
 */
static void look_for_leftovers(struct service *service)
{
    link_subscribe(service->link, "rooms/+/state", 0);
    link_unsubscribe(service->link, "rooms/+/state");
}

/* The next rooms; after the last, that all of them are there. What changes meanwhile is published
 * by itself. */
static void publish_again(struct service *service)
{
    bool was_last = resync_next(&service->resync, service->rooms, tell_state, &service->replies);
    send_out(service);
    if (was_last) {
        tell_status(service, false);
        look_for_leftovers(service);
    }
}

static bool may_publish_again(const struct service *service)
{
    return resync_is_due(&service->resync) && link_is_connected(service->link) &&
           link_is_drained(service->link);
}

/* Others would look for a room at the broker that its id belongs to (docs/protocol.md, rule 1). */
static bool owns(const void *owner, const char *room_id)
{
    const struct service_options *options = owner;
    const struct config *config = options->config;
    return options->broker == &config->brokers[config_broker_of_room(config, room_id)];
}

static struct rooms *make_rooms(struct service *service)
{
    const struct config *config = service->options->config;
    const struct rooms_options options = {.grace_ms = (int64_t)config->grace_s * 1000,
                                          .ttl_ms = (int64_t)config->room_ttl_s * 1000,
                                          .rooms_max = config->rooms_max,
                                          .peers_max = config->peers_max,
                                          .generate_id = room_id_generate,
                                          .owns = owns,
                                          .owner = service->options,
                                          .emit = replies_emit,
                                          .ctx = &service->replies};
    return rooms_new(&options);
}

/* The broker let us in, so no other roomd is at work: the store is ours now, and what is in it is
 * the truth, whatever we knew from an earlier time at work. */
static bool take_over(struct service *service, int64_t now)
{
    char why[2 * CONFIG_TEXT_MAX] = "";
    store_close(service->store);
    service->store = NULL;
    rooms_free(service->rooms);
    service->rooms = service->intake.rooms = make_rooms(service);
    if (store_open(service->options->store_path, &service->store, why, sizeof(why)) != STATUS_OK) {
        log_error("store-not-opened", LOG_TEXT("why", why));
        return false;
    }
    if (store_claim(service->store) != STATUS_OK) {
        log_error("store-not-claimed", LOG_TEXT("why", store_why(service->store)));
        return false;
    }
    set_store_ok(service, true);
    return persist_load(service->rooms, service->store, now, clock_wall_s(),
                        service->options->config->room_ttl_s) == STATUS_OK;
}

/* Rule 6: whoever was there is away until we hear from them, and everything is published again. */
static void on_connected(void *ctx, int64_t now)
{
    struct service *service = ctx;
    notices_new_epoch(&service->notices);
    if (service->store != NULL && store_check_claim(service->store) == STATUS_OK) {
        rooms_crash(service->rooms, now);
    } else if (!take_over(service, now)) {
        give_up(service);
        return;
    }
    link_subscribe(service->link, "rooms/+/from/+/+", 1);
    link_subscribe(service->link, "lobby/from/+/create-room", 1);
    if (!resync_begin(&service->resync, service->rooms)) {
        log_error("no-memory");
        give_up(service);
        return;
    }
    publish_again(service);
    if (resync_is_due(&service->resync)) {
        tell_status(service, true); /* we answer, whatever is still to come */
    }
}

/* A retained state of a room that we do not know: its time ended while we, or the broker, were
 * away. */
static void check_state(struct service *service, const struct topic *topic, struct payload payload)
{
    if (payload.len > 0 && !rooms_get(service->rooms, topic->room, NULL)) {
        replies_ended(&service->replies, topic->room);
        send_out(service);
    }
}

static bool is_arrival(enum topic_kind kind)
{
    return kind == TOPIC_JOIN || kind == TOPIC_CREATE_ROOM || kind == TOPIC_GONE;
}

static void on_message(void *ctx, const struct topic *topic, struct payload payload, bool retained,
                       int64_t now)
{
    struct service *service = ctx;
    if (retained) {
        if (topic->kind == TOPIC_ROOM_STATE) {
            check_state(service, topic, payload);
        }
        return; /* what the broker kept is nobody's event */
    }
    if (!intake_wants(topic->kind)) {
        return;
    }
    mailbox_add(&service->in, topic, payload.text, payload.len);
    if (is_arrival(topic->kind)) {
        link_keep_turning(service->link, now + TURNING_MS);
    }
}

/* ---- the loop ---- */

/* Reads the key file, whole, before anything of the old keys goes. False when it is not right: they
 * stay. */
static bool load_keys(struct service *service)
{
    struct keyring *keyring = NULL;
    char why[CONFIG_WHY_MAX + 1];
    if (keyring_load(service->options->config->keys_file, &keyring, why, sizeof(why)) !=
        STATUS_OK) {
        log_error("keys-not-loaded", LOG_TEXT("why", why));
        return false;
    }
    service->replies.keyring = service->intake.keyring = keyring;
    if (service->link != NULL) {
        link_set_keyring(service->link, keyring);
    }
    keyring_free(service->keyring);
    service->keyring = keyring;
    log_info("keys-loaded");
    return true;
}

static void read_signals(struct service *service)
{
    struct signalfd_siginfo info;
    while (read(service->options->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            load_keys(service);
        } else {
            log_info("stopping", LOG_NUMBER("signal", info.ssi_signo));
            service->stop = true;
        }
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct service *service, int64_t now)
{
    int64_t deadline = earlier(link_deadline(service->link, now), service->notices.stats_next);
    if (link_is_connected(service->link)) {
        deadline = earlier(deadline, rooms_deadline(service->rooms));
    }
    if (!service->store_ok) {
        deadline = earlier(deadline, service->store_retry);
    }
    if (may_publish_again(service)) {
        return 0;
    }
    /* Two others of these deadlines lie at most seconds ahead, so the difference fits an int. */
    return deadline <= now ? 0 : (int)(deadline - now);
}

static void loop(struct service *service)
{
    while (!service->stop) {
        struct pollfd fds[] = {
            {.fd = service->options->signal_fd, .events = POLLIN},
            link_prepare(service->link),
        };
        if (poll(fds, 2, wait_ms(service, clock_monotonic_ms())) < 0 && errno != EINTR) {
            log_error("poll-failed", LOG_TEXT("why", strerror(errno)));
            return;
        }
        int64_t now = clock_monotonic_ms();
        if (fds[0].revents != 0) {
            read_signals(service);
        }
        link_service(service->link, fds[1].revents, now);
        if (service->status != STATUS_OK) {
            return;
        }
        retry_store(service, now);
        turn(service, now);
        if (may_publish_again(service)) {
            publish_again(service);
        }
        if (now >= service->notices.stats_next) {
            notices_tell_stats(&service->notices, &service->out.mail, &service->stats,
                               rooms_count(service->rooms), service->store_ok, now);
            send_out(service);
        }
    }
}

/*
 * Serves the link until nothing comes for SETTLE_QUIET_MS: what has come in is answered, and no
 * receipt is left unread. A socket that is closed over unread bytes is reset (RFC 1122, 4.2.2.13),
 * and takes what was last said with it.
 */
static void settle(struct service *service)
{
    int64_t end = clock_monotonic_ms() + SETTLE_LONGEST_MS;
    while (link_is_connected(service->link) && clock_monotonic_ms() < end) {
        struct pollfd fd = link_prepare(service->link);
        if (poll(&fd, 1, SETTLE_QUIET_MS) <= 0) {
            return;
        }
        int64_t now = clock_monotonic_ms();
        link_service(service->link, fd.revents, now);
        turn(service, now);
    }
}

/* Says that nobody gets in any more, answers what has come in, and leaves in order: the will is not
 * sent. */
static void drain(struct service *service)
{
    service->draining = true;
    set_store_ok(service, service->store_ok);
    tell_status(service, resync_is_due(&service->resync));
    settle(service);
    notices_tell_status(&service->notices, &service->out.mail, ROOMD_OFFLINE, false);
    send_out(service);
    settle(service);
}

static enum status begin(struct service *service, int64_t now)
{
    const struct service_options *options = service->options;
    const struct config *config = options->config;
    const struct topic will_topic = {.kind = TOPIC_ROOMD_STATUS};
    char will[OUTBOUND_MAX];

    service->replies = (struct replies){.out = &service->out.mail,
                                        .journal = &service->out.journal,
                                        .stats = &service->stats,
                                        .grace_s = config->grace_s};
    service->rooms = make_rooms(service);
    service->intake = (struct intake){
        .rooms = service->rooms, .replies = &service->replies, .stats = &service->stats};
    if (!load_keys(service)) {
        return STATUS_INTERNAL;
    }
    service->store_ok = true;
    notices_begin(&service->notices, now);
    notices_encode_status(&service->notices, ROOMD_OFFLINE, false, will);
    const struct link_options link = {
        .broker = options->broker,
        .keyring = service->keyring,
        .peer_id = "s-roomd",
        .keep_session = true, /* a join sent while we are down is answered when we are back */
        .will_topic = &will_topic,
        .will_payload = will,
        .events = {.connected = on_connected, .message = on_message},
        .ctx = service};
    service->link = link_new(&link);
    if (service->link == NULL) {
        log_error("link-not-made");
    }
    return service->link != NULL ? STATUS_OK : STATUS_INTERNAL;
}

enum status service_run(const struct service_options *options)
{
    struct service service = {.options = options};
    service.status = begin(&service, clock_monotonic_ms());
    if (service.status == STATUS_OK) {
        loop(&service);
    }
    if (service.status == STATUS_OK) {
        drain(&service);
    }
    link_free(service.link);
    mailbox_clear(&service.in);
    outbox_clear(&service.out);
    resync_end(&service.resync);
    rooms_free(service.rooms);
    store_close(service.store);
    keyring_free(service.keyring);
    return service.status;
}
