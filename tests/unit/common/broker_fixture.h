/*
 * broker_fixture: a plain Mosquitto of a test's own, anonymous, with a TCP and a WebSocket listener
 * on free ports, and a Unix socket.
 */
#ifndef PARLEY_TESTS_BROKER_FIXTURE_H
#define PARLEY_TESTS_BROKER_FIXTURE_H

#include "common/clock.h"
#include "common/config.h"
#include "common/token.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 15000

static char folder[] = "/tmp/parley-test-link-XXXXXX";
static char conf_path[64], keys_path[64], socket_path[64];
static struct keyring *keyring;
static struct config_broker broker = {.name = "main", .host = "127.0.0.1", .tick_ms = 5};
static pid_t broker_pid;

/* A socket bound to a free port of 127.0.0.1; the port goes to `port`. */
static inline int bind_free(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline void start_broker(void)
{
    broker_pid = fork();
    assert_true(broker_pid >= 0);
    if (broker_pid == 0) {
        execl("/usr/sbin/mosquitto", "mosquitto", "-c", conf_path, (char *)NULL);
        _exit(127);
    }
    int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
    int fd;
    while ((fd = connect_to(broker.mqtt_port)) < 0) {
        assert_true(clock_monotonic_ms() < deadline);
        poll(NULL, 0, 5);
    }
    close(fd);
}

static inline void kill_broker(void)
{
    kill(broker_pid, SIGKILL);
    waitpid(broker_pid, NULL, 0);
    broker_pid = 0;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline int set_up(void **state)
{
    char text[512], line[KEY_LINE_MAX + 1], why[256];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(conf_path, sizeof conf_path, "%s/conf", folder);
    snprintf(keys_path, sizeof keys_path, "%s/keys", folder);
    snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
    close(bind_free(&broker.mqtt_port));
    close(bind_free(&broker.ws_port));
    /* (As the user `mosquitto` it could make no socket in our folder.) */
    snprintf(text, sizeof text,
             "user root\nallow_anonymous true\nlog_type error\nset_tcp_nodelay true\n"
             "listener %u 127.0.0.1\n"
             "listener 0 %s\nlistener %u 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\n",
             broker.mqtt_port, socket_path, broker.ws_port);
    write_file(conf_path, text);
    key_line_generate(line);
    umask(077);
    write_file(keys_path, line);
    assert_int_equal(keyring_load(keys_path, &keyring, why, sizeof why), STATUS_OK);
    start_broker();
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    kill_broker();
    keyring_free(keyring);
    unlink(conf_path);
    unlink(keys_path);
    unlink(socket_path);
    return rmdir(folder);
}

#endif
