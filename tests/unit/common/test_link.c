/*
 * The link against a plain broker of its own, on ports of its own; and its timing by a clock that
 * the test moves.
 */
#include "broker_fixture.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- one end of a link ---- */

struct end {
    struct link *link;
    const char *snapshot; /* subscribed and taken back at every connect */
    const char *filter;   /* subscribed at every connect */
    int connects, losses, messages, retained;
    struct topic topic;
    char payload[128];
    bool answers; /* to each `join` it hears it publishes a `joined`, from within the callback */
};

static void on_connected(void *ctx, int64_t now)
{
    struct end *end = ctx;
    (void)now;
    end->connects++;
    if (end->snapshot) {
        assert_int_equal(link_subscribe(end->link, end->snapshot, 1), STATUS_OK);
        assert_int_equal(link_unsubscribe(end->link, end->snapshot), STATUS_OK);
    }
    if (end->filter)
        assert_int_equal(link_subscribe(end->link, end->filter, 1), STATUS_OK);
}

static void on_disconnected(void *ctx, int64_t now)
{
    (void)now;
    ((struct end *)ctx)->losses++;
}

static void on_message(void *ctx, const struct topic *topic, struct payload payload, bool retained,
                       int64_t now)
{
    struct end *end = ctx;
    (void)now;
    end->messages++;
    end->retained += retained;
    end->topic = *topic;
    snprintf(end->payload, sizeof end->payload, "%.*s", (int)payload.len, payload.text);
    if (end->answers && topic->kind == TOPIC_JOIN) {
        struct topic answer = *topic;
        answer.kind = TOPIC_JOINED;
        assert_int_equal(link_publish(end->link, &answer, "{}", 2), STATUS_OK);
    }
}

static void open_end(struct end *end, const char *peer_id, const struct topic *will_topic)
{
    struct link_options options = {
        .broker = &broker,
        .keyring = keyring,
        .peer_id = peer_id,
        .will_topic = will_topic,
        .will_payload = "{\"state\":\"offline\"}",
        .events = {on_connected, on_disconnected, on_message},
        .ctx = end,
    };
    end->link = link_new(&options);
    assert_non_null(end->link);
}

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &size), 0);
    return value;
}

/* Serves the ends (NULL ends the list) until `*counter` is at least `wanted`. */
static void serve_until(struct end **ends, const int *counter, int wanted)
{
    int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
    while (*counter < wanted) {
        struct pollfd fds[4];
        int count = 0;
        int64_t now = clock_monotonic_ms(), wake = deadline;
        assert_true(now < deadline);
        for (; ends[count]; count++) {
            fds[count] = link_prepare(ends[count]->link);
            int64_t due = link_deadline(ends[count]->link, now);
            wake = due < wake ? due : wake;
        }
        poll(fds, (nfds_t)count, (int)(wake - now));
        for (int i = 0; i < count; i++)
            link_service(ends[i]->link, fds[i].revents, clock_monotonic_ms());
    }
}

#define ENDS(...) ((struct end *[]){__VA_ARGS__, NULL})

static struct topic topic_of(enum topic_kind kind)
{
    return (struct topic){.kind = kind, .room = "kitchen", .peer = "p-a", .from = "p-b"};
}

/* ---- the tests ---- */

static void test_message_and_answer(void **state)
{
    struct end roomd = {.filter = "rooms/+/from/#", .answers = true};
    struct end peer = {.filter = "rooms/kitchen/to/p-a/#"};
    struct topic join = topic_of(TOPIC_JOIN), gone = topic_of(TOPIC_GONE);
    (void)state;
    open_end(&roomd, "s-roomd", NULL);
    open_end(&peer, "s-httpd", NULL);
    assert_int_equal(link_publish(peer.link, &join, "{}", 2), STATUS_UNAVAILABLE);
    serve_until(ENDS(&roomd, &peer), &roomd.connects, 1);
    serve_until(ENDS(&roomd, &peer), &peer.connects, 1);
    assert_int_equal(option_of(link_prepare(peer.link).fd, TCP_NODELAY), 1);

    /* What roomd hears of itself says that its subscription stands. */
    assert_int_equal(link_publish(roomd.link, &gone, "{}", 2), STATUS_OK);
    serve_until(ENDS(&roomd, &peer), &roomd.messages, 1);
    assert_int_equal(link_publish(peer.link, &join, "{\"n\":1}", 7), STATUS_OK);
    serve_until(ENDS(&roomd, &peer), &roomd.messages, 2);
    assert_int_equal(roomd.topic.kind, TOPIC_JOIN);
    assert_string_equal(roomd.topic.peer, "p-a");
    assert_string_equal(roomd.payload, "{\"n\":1}");
    serve_until(ENDS(&roomd, &peer), &peer.messages, 1);
    assert_int_equal(peer.topic.kind, TOPIC_JOINED);
    assert_int_equal(peer.retained, 0);

    struct topic nameless = {.kind = TOPIC_JOIN, .room = "kitchen"};
    assert_int_equal(link_publish(peer.link, &nameless, "{}", 2), STATUS_BAD_REQUEST);
    link_free(roomd.link);
    link_free(peer.link);
}

static void test_snapshot_gives_each_retained_once(void **state)
{
    struct end writer = {.filter = "rooms/+/state"};
    struct end reader = {.snapshot = "rooms/+/state", .filter = "rooms/+/from/#"};
    struct topic room = topic_of(TOPIC_ROOM_STATE), join = topic_of(TOPIC_JOIN);
    (void)state;
    open_end(&writer, "s-roomd-writer", NULL);
    serve_until(ENDS(&writer), &writer.connects, 1);
    assert_int_equal(link_publish(writer.link, &room, "{\"rev\":1}", 9), STATUS_OK);
    serve_until(ENDS(&writer), &writer.messages, 1);

    open_end(&reader, "s-roomd-reader", NULL);
    serve_until(ENDS(&reader), &reader.messages, 1);
    assert_int_equal(reader.retained, 1);
    assert_string_equal(reader.payload, "{\"rev\":1}");

    /* The subscription is gone: of a new state and a join behind it only the join is heard. */
    assert_int_equal(link_publish(writer.link, &room, "{\"rev\":2}", 9), STATUS_OK);
    assert_int_equal(link_publish(writer.link, &join, "{}", 2), STATUS_OK);
    serve_until(ENDS(&writer, &reader), &reader.messages, 2);
    assert_int_equal(reader.topic.kind, TOPIC_JOIN);

    assert_int_equal(link_publish(writer.link, &room, "", 0), STATUS_OK);
    serve_until(ENDS(&writer), &writer.messages, 3);
    assert_string_equal(writer.payload, "");
    link_free(reader.link);
    link_free(writer.link);
}

static void test_will_is_for_losses_only(void **state)
{
    struct end watcher = {.filter = "roomd/status"}, mortal = {0};
    struct topic status = {.kind = TOPIC_ROOMD_STATUS};
    (void)state;
    open_end(&watcher, "s-httpd", NULL);
    serve_until(ENDS(&watcher), &watcher.connects, 1);
    open_end(&mortal, "s-roomd", &status);
    serve_until(ENDS(&mortal), &mortal.connects, 1);
    link_free(mortal.link);

    /* The good-bye above sent no will, or this one would be the second message. */
    mortal = (struct end){0};
    open_end(&mortal, "s-roomd", &status);
    serve_until(ENDS(&watcher, &mortal), &mortal.connects, 1);
    shutdown(link_prepare(mortal.link).fd, SHUT_RDWR);
    serve_until(ENDS(&watcher, &mortal), &mortal.losses, 1);
    serve_until(ENDS(&watcher), &watcher.messages, 1);
    assert_int_equal(watcher.topic.kind, TOPIC_ROOMD_STATUS);
    assert_string_equal(watcher.payload, "{\"state\":\"offline\"}");
    serve_until(ENDS(&watcher, &mortal), &mortal.connects, 2);
    assert_int_equal(watcher.messages, 1);
    link_publish(mortal.link, &status, "", 0);
    serve_until(ENDS(&watcher, &mortal), &watcher.messages, 2);
    link_free(mortal.link);
    link_free(watcher.link);
}

static void test_comes_back_after_the_broker_dies(void **state)
{
    struct end end = {.filter = "rooms/+/state"};
    struct topic room = topic_of(TOPIC_ROOM_STATE);
    (void)state;
    open_end(&end, "s-roomd", NULL);
    serve_until(ENDS(&end), &end.connects, 1);
    kill_broker();
    serve_until(ENDS(&end), &end.losses, 1);
    assert_false(link_is_connected(end.link));
    assert_int_equal(link_publish(end.link, &room, "{}", 2), STATUS_UNAVAILABLE);
    assert_int_equal(link_subscribe(end.link, "roomd/status", 1), STATUS_UNAVAILABLE);
    start_broker();
    serve_until(ENDS(&end), &end.connects, 2);
    assert_int_equal(link_publish(end.link, &room, "{\"rev\":3}", 9), STATUS_OK);
    serve_until(ENDS(&end), &end.messages, 1);
    assert_true(link_is_drained(end.link));
    link_publish(end.link, &room, "", 0);
    link_free(end.link);
}

/* Milliseconds from a WebSocket's connect to the broker's answer to its upgrade, while `end` is
 * served. */
static int64_t upgrade_time(struct end *end)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    char answer[16];
    int64_t start = clock_monotonic_ms();
    int fd = connect_to(broker.ws_port);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}};
    while (!fds[0].revents) {
        int64_t now = clock_monotonic_ms();
        assert_true(now < start + PATIENCE_MS);
        fds[1] = link_prepare(end->link);
        poll(fds, 2, (int)(link_deadline(end->link, now) - now));
        link_service(end->link, fds[1].revents, clock_monotonic_ms());
    }
    assert_true(read(fd, answer, sizeof answer) > 12);
    assert_memory_equal(answer, "HTTP/1.1 101", 12);
    close(fd);
    return clock_monotonic_ms() - start;
}

/* The fastest of five, since a busy machine may delay some; without the tick none takes less than
 * about 100 ms. */
static int64_t fastest_upgrade(struct end *end)
{
    int64_t fastest = INT64_MAX;
    link_keep_turning(end->link, clock_monotonic_ms() + PATIENCE_MS);
    for (int i = 0; i < 5; i++) {
        int64_t took = upgrade_time(end);
        fastest = took < fastest ? took : fastest;
    }
    print_message("fastest WebSocket upgrade with the tick: %d ms\n", (int)fastest);
    return fastest;
}

static void test_tick_shortens_a_websocket_connect(void **state)
{
    struct end end = {0};
    (void)state;
    open_end(&end, "s-httpd", NULL);
    serve_until(ENDS(&end), &end.connects, 1);
    assert_true(fastest_upgrade(&end) < 40);

    /* It ends by itself: the next thing due is the housekeeping of every second. */
    int64_t later = clock_monotonic_ms() + PATIENCE_MS;
    link_service(end.link, 0, later);
    assert_in_range(link_deadline(end.link, later), later + 100, later + 1000);
    link_free(end.link);
}

/* A tick that was never answered, because the broker died, does not end the ticking. */
static void test_tick_goes_on_after_a_loss(void **state)
{
    struct end end = {0};
    (void)state;
    open_end(&end, "s-httpd", NULL);
    serve_until(ENDS(&end), &end.connects, 1);
    kill(broker_pid, SIGSTOP);
    link_keep_turning(end.link, clock_monotonic_ms() + PATIENCE_MS);
    link_service(end.link, 0, clock_monotonic_ms());
    kill_broker();
    serve_until(ENDS(&end), &end.losses, 1);
    start_broker();
    serve_until(ENDS(&end), &end.connects, 2);
    assert_true(fastest_upgrade(&end) < 40);
    link_free(end.link);
}

/* Time is the test's here: nothing waits. */
static void test_backoff_grows_and_is_jittered(void **state)
{
    struct end end = {0};
    struct config_broker real = broker;
    int64_t now = 1000, longest = 0;
    (void)state;
    int fd = bind_free(&broker.mqtt_port); /* bound and not listening: connects are refused */
    open_end(&end, "s-roomd", NULL);
    assert_int_equal(link_deadline(end.link, now), now);
    for (int attempt = 0; attempt < 14; attempt++) {
        link_service(end.link, 0, now);
        for (int turns = 0; link_prepare(end.link).fd >= 0; turns++) {
            struct pollfd wait = {.fd = link_prepare(end.link).fd, .events = POLLIN | POLLOUT};
            assert_true(turns < 100);
            poll(&wait, 1, 100);
            link_service(end.link, wait.revents, now);
        }
        int64_t wait = link_deadline(end.link, now) - now;
        assert_in_range(wait, attempt == 0 ? 125 : 150, attempt == 0 ? 250 : 5000);
        longest = wait > longest ? wait : longest;
        now += wait;
    }
    assert_in_range(longest, 2500, 5000);
    assert_int_equal(end.connects + end.losses, 0);
    link_free(end.link);
    close(fd);
    broker = real;
}

/* A broker that says no, as the gate does to a second roomd, is asked again at a steady pace. */
static void test_a_refusal_does_not_slow_it_down(void **state)
{
    static const unsigned char not_authorized[] = {0x20, 2, 0, 5};
    struct end end = {0};
    struct config_broker real = broker;
    int64_t now = 1000;
    (void)state;
    int fd = bind_free(&broker.mqtt_port);
    assert_int_equal(listen(fd, 4), 0);
    open_end(&end, "s-roomd", NULL);
    for (int attempt = 0; attempt < 14; attempt++) {
        char connect[1024];
        link_service(end.link, 0, now);
        int peer = accept(fd, NULL, NULL);
        assert_true(peer >= 0);
        link_service(end.link, POLLOUT, now);
        assert_true(read(peer, connect, sizeof connect) > 0);
        assert_int_equal(write(peer, not_authorized, sizeof not_authorized), sizeof not_authorized);
        struct pollfd readable = {.fd = link_prepare(end.link).fd, .events = POLLIN};
        assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
        link_service(end.link, POLLIN, now);
        assert_int_equal(link_prepare(end.link).fd, -1);
        int64_t wait = link_deadline(end.link, now) - now;
        assert_in_range(wait, 500, 1000);
        now += wait;
        close(peer);
    }
    assert_int_equal(end.connects + end.losses, 0);
    link_free(end.link);
    close(fd);
    broker = real;
}

static void test_silent_broker_is_given_up(void **state)
{
    struct end end = {0};
    struct config_broker real = broker;
    (void)state;
    int fd = bind_free(&broker.mqtt_port);
    assert_int_equal(listen(fd, 4), 0); /* the kernel accepts, nobody answers */
    open_end(&end, "s-roomd", NULL);
    link_service(end.link, 0, 1000);
    link_service(end.link, POLLOUT, 5999);
    assert_true(link_prepare(end.link).fd >= 0);
    link_service(end.link, 0, 6000);
    assert_int_equal(link_prepare(end.link).fd, -1);
    assert_in_range(link_deadline(end.link, 6000), 6125, 6250);
    link_free(end.link);
    close(fd);
    broker = real;
}

/* What is said between two waits goes out in one segment. */
static void test_what_is_said_in_one_turn_travels_together(void **state)
{
    struct end end = {.filter = "rooms/+/from/#"};
    struct topic join = topic_of(TOPIC_JOIN);
    (void)state;
    open_end(&end, "s-roomd", NULL);
    serve_until(ENDS(&end), &end.connects, 1);
    int fd = link_prepare(end.link).fd;
    assert_int_equal(option_of(fd, TCP_CORK), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(link_publish(end.link, &join, "{}", 2), STATUS_OK);
        assert_int_equal(option_of(fd, TCP_CORK), 1);
    }
    link_prepare(end.link);
    assert_int_equal(option_of(fd, TCP_CORK), 0);
    serve_until(ENDS(&end), &end.messages, 2);
    link_free(end.link);
}

/* ---- by a Unix socket ---- */

static int domain_of(int fd)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size), 0);
    return value;
}

static void test_a_socket_does_what_tcp_does(void **state)
{
    struct end end = {.filter = "rooms/+/from/#"};
    struct config_broker real = broker;
    struct topic join = topic_of(TOPIC_JOIN);
    (void)state;
    snprintf(broker.socket, sizeof broker.socket, "%s", socket_path);
    broker.mqtt_port = 1; /* nobody is there */
    open_end(&end, "s-roomd", NULL);
    serve_until(ENDS(&end), &end.connects, 1);
    assert_int_equal(domain_of(link_prepare(end.link).fd), AF_UNIX);
    assert_true(fcntl(link_prepare(end.link).fd, F_GETFL) & O_NONBLOCK);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(link_publish(end.link, &join, "{}", 2), STATUS_OK);
    serve_until(ENDS(&end), &end.messages, 3);

    kill_broker(); /* the socket stays behind in the folder */
    serve_until(ENDS(&end), &end.losses, 1);
    broker.mqtt_port = real.mqtt_port;
    start_broker();
    serve_until(ENDS(&end), &end.connects, 2);
    assert_int_equal(domain_of(link_prepare(end.link).fd), AF_UNIX);
    link_free(end.link);
    broker = real;
}

/* One that hangs finds a single connection in its queue, however long it takes. (libmosquitto
 * counts real seconds: what it does by itself is seen in tests/broker/sockets.test.mjs.) */
static void test_a_silent_broker_is_waited_for_by_a_socket(void **state)
{
    struct end end = {0};
    struct config_broker real = broker;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t now = 1000;
    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/silent", folder);
    snprintf(broker.socket, sizeof broker.socket, "%s/silent", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    open_end(&end, "s-roomd", NULL);
    for (; now < 600000; now = link_deadline(end.link, now + 1)) {
        link_service(end.link, POLLOUT, now);
        assert_true(link_prepare(end.link).fd >= 0);
    }
    int peer = accept(fd, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(accept(fd, NULL, NULL), -1);

    close(peer);
    link_service(end.link, POLLIN | POLLHUP, now);
    assert_int_equal(link_prepare(end.link).fd, -1);
    assert_in_range(link_deadline(end.link, now) - now, 125, 250);
    link_free(end.link);
    close(fd);
    unlink(address.sun_path);
    broker = real;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_and_answer),
        cmocka_unit_test(test_what_is_said_in_one_turn_travels_together),
        cmocka_unit_test(test_snapshot_gives_each_retained_once),
        cmocka_unit_test(test_will_is_for_losses_only),
        cmocka_unit_test(test_comes_back_after_the_broker_dies),
        cmocka_unit_test(test_tick_shortens_a_websocket_connect),
        cmocka_unit_test(test_tick_goes_on_after_a_loss),
        cmocka_unit_test(test_backoff_grows_and_is_jittered),
        cmocka_unit_test(test_a_refusal_does_not_slow_it_down),
        cmocka_unit_test(test_silent_broker_is_given_up),
        cmocka_unit_test(test_a_socket_does_what_tcp_does),
        cmocka_unit_test(test_a_silent_broker_is_waited_for_by_a_socket),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
