#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than libmicrohttpd takes in one turn; the kernel cuts it to net.core.somaxconn. */
#define BACKLOG 1024

/*
 * What the kernel keeps for a reader that does not read: of its own accord up to 4 MB, so that the
 * connections of one address could hold 8 GB. 64 KiB hold most files whole, and send 5 Mbit/s to
 * the other side of the world.
 */
#define SEND_BUFFER (64 * 1024)

int listen_open(const char *address, unsigned port, char *why, size_t why_size)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const int on = 1, off = 0, send_buffer = SEND_BUFFER;
    struct addrinfo *info = NULL;
    char service[16];
    int fd = -1;

    snprintf(service, sizeof service, "%u", port);
    int failed = getaddrinfo(address, service, &hints, &info);
    if (failed) {
        snprintf(why, why_size, "%s: %s", address, gai_strerror(failed));
        return -1;
    }
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) < 0 ||
        (info->ai_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) ||
        bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        snprintf(why, why_size, "%s port %u: %s", address, port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(info);
    return fd;
}
