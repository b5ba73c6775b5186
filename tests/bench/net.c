#include "net.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_A_TURN 256
#define READ_BYTES    65536

void net_init(struct net *net)
{
    net->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (net->epoll < 0) {
        perror("loadgen: epoll");
        exit(EXIT_FAILURE);
    }
}

void net_clear(struct net *net)
{
    close(net->epoll);
}

static void watch(struct conn *conn, int how, bool for_write)
{
    struct epoll_event event = {.events = EPOLLIN | (for_write ? EPOLLOUT : 0), .data.ptr = conn};
    conn->wants_write = for_write;
    epoll_ctl(conn->net->epoll, how, conn->fd, &event);
}

static void lose(struct conn *conn, const char *why)
{
    conn_close(conn);
    conn->events->lost(conn, why);
}

void conn_open(struct conn *conn, struct net *net, const struct conn_events *events, unsigned port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons((uint16_t)port)};
    const int on = 1;
    *conn = (struct conn){.net = net, .events = events};
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        perror("loadgen: socket");
        exit(EXIT_FAILURE);
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(conn->fd, (const struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        perror("loadgen: connect");
        exit(EXIT_FAILURE);
    }
    watch(conn, EPOLL_CTL_ADD, true);
}

void conn_close(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->is_open = false;
    buffer_free(&conn->in);
    buffer_free(&conn->out);
}

static void flush(struct conn *conn)
{
    while (conn->out.len > 0) {
        ssize_t sent = send(conn->fd, conn->out.bytes, conn->out.len, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* a connection that is gone tells by its next event */
        buffer_take(&conn->out, (size_t)sent);
    }
    if (conn->wants_write != (conn->out.len > 0))
        watch(conn, EPOLL_CTL_MOD, conn->out.len > 0);
}

void conn_write(struct conn *conn, const void *bytes, size_t len)
{
    if (conn->fd < 0)
        return;
    if (conn->is_open && conn->out.len == 0) {
        ssize_t sent = send(conn->fd, bytes, len, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes = (const char *)bytes + sent;
            len -= (size_t)sent;
        }
    }
    if (len > 0) {
        buffer_add(&conn->out, bytes, len);
        if (conn->is_open)
            flush(conn);
    }
}

static void on_writable(struct conn *conn)
{
    if (!conn->is_open) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            lose(conn, strerror(error));
            return;
        }
        conn->is_open = true;
        conn->events->open(conn);
    }
    if (conn->fd >= 0)
        flush(conn);
}

static void on_readable(struct conn *conn)
{
    char *room = buffer_room(&conn->in, READ_BYTES);
    ssize_t got = recv(conn->fd, room, READ_BYTES, 0);
    if (got > 0) {
        buffer_added(&conn->in, (size_t)got);
        conn->events->input(conn);
        return;
    }
    buffer_take(&conn->in, 0);
    if (got == 0)
        lose(conn, "closed by the server");
    else if (errno != EAGAIN && errno != EINTR)
        lose(conn, strerror(errno));
}

void net_turn(struct net *net, int wait_ms)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(net->epoll, events, EVENTS_A_TURN, wait_ms);
    for (int i = 0; i < count; i++) {
        struct conn *conn = events[i].data.ptr;
        /* An earlier event of this turn may have closed it, or opened it anew: both are harmless,
         * since sockets do not block. */
        if (conn->fd >= 0 && (events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
            on_writable(conn);
        if (conn->fd >= 0 && conn->is_open && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
            on_readable(conn);
    }
}
