#include "server.h"

#include "admit.h"
#include "conns.h"
#include "listen.h"
#include "prepared.h"

#include "common/log.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    struct app *app;
    struct MHD_Daemon *daemon;
    struct conns conns;
    struct prepared prepared;
    int listen_fd; /* -1 once it listens no more */
    int epoll_fd;
    int64_t now; /* of the running server_run, for libmicrohttpd's callbacks */
};

static void (*const handlers[ROUTE_COUNT])(struct exchange *, int64_t) = {
    [ROUTE_HOME] = handle_home,
    [ROUTE_ROOM_PAGE] = handle_room_page,
    [ROUTE_ROOM_PAGE_BARE] = handle_room_page_bare,
    [ROUTE_ROOMS] = handle_rooms,
    [ROUTE_ROOM] = handle_room,
    [ROUTE_PEERS] = handle_peers,
    [ROUTE_RING] = handle_ring,
    [ROUTE_HEALTHZ] = handle_healthz,
    [ROUTE_READYZ] = handle_readyz,
    [ROUTE_METRICS] = handle_metrics,
    [ROUTE_FILE] = handle_file,
};

/* ---- the life of an exchange ---- */

static void begin(struct exchange *exchange, const char *path, const char *method,
                  const char *version, int64_t now)
{
    exchange->has_begun = true;
    exchange->method = router_method(method);
    enum status status = admit_request(exchange, method, path, version, now);
    if (status != STATUS_OK)
        reply_error(&exchange->reply, status, NULL);
}

static void end(struct exchange *exchange)
{
    reply_clear(&exchange->reply);
    free(exchange->body);
    free(exchange);
}

/* Keeps the next piece of the body. False when the sender does not stop. */
static bool take_body(struct exchange *exchange, const char *data, size_t len)
{
    if (!exchange->body)
        exchange->body = malloc(HTTP_BODY_MAX);
    if (exchange->body && exchange->body_len + len <= HTTP_BODY_MAX)
        memcpy(exchange->body + exchange->body_len, data, len);
    exchange->body_len += len;
    return exchange->body && exchange->body_len <= SERVER_DRAIN_MAX;
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static enum MHD_Result send_reply(struct server *server, struct exchange *exchange)
{
    int status = exchange->reply.status;
    enum route_id route = exchange->is_matched ? exchange->match.route : ROUTE_FILE;
    enum MHD_Result result =
        prepared_queue(&server->prepared, exchange->connection, &exchange->reply,
                       exchange->has_site ? &exchange->site : NULL, &server->app->config);
    if (result != MHD_YES)
        return MHD_NO;
    metrics_count_request(&server->app->metrics, route, status);
    conns_move(&server->conns, conn_of(exchange->connection), CONNS_ANSWER, server->now);
    return MHD_YES;
}

/* The request is here, whole. */
static enum MHD_Result answer(struct server *server, struct exchange *exchange)
{
    if (exchange->reply.status == 0 && exchange->body_len > HTTP_BODY_MAX)
        reply_error(&exchange->reply, STATUS_TOO_LARGE, NULL);
    if (exchange->reply.status == 0)
        handlers[exchange->match.route](exchange, server->now);
    if (exchange->reply.status != 0)
        return send_reply(server, exchange);
    conns_move(&server->conns, conn_of(exchange->connection), CONNS_ANSWER, server->now);
    exchange->is_suspended = true;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

void exchange_finish(struct exchange *exchange)
{
    exchange->is_suspended = false;
    MHD_resume_connection(exchange->connection);
}

/* ---- libmicrohttpd's callbacks ---- */

/* A request line has arrived: an exchange begins. */
static void *on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct server *server = ctx;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->app = server->app;
    exchange->connection = connection;
    exchange->target_end = target + strlen(target);
    exchange->waiter.ctx = exchange;
    exchange->is_over_limit = conn_of(connection)->over_limit;
    return exchange;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    struct server *server = ctx;
    struct exchange *exchange = *state;
    (void)connection;
    if (!exchange)
        return MHD_NO;
    if (!exchange->has_begun) {
        begin(exchange, path, method, version, server->now);
        if (admit_body(exchange))
            return MHD_YES;
        if (exchange->reply.status == 0)
            reply_error(&exchange->reply, STATUS_TOO_LARGE, NULL);
        return send_reply(server, exchange);
    }
    if (*len > 0) {
        bool fine = take_body(exchange, data, *len);
        *len = 0;
        return fine ? MHD_YES : MHD_NO;
    }
    return answer(server, exchange);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct server *server = ctx;
    (void)code;
    if (!*state)
        return;
    end(*state);
    *state = NULL;
    conns_move(&server->conns, conn_of(connection), CONNS_RECEIVE, server->now);
}

static void count_connection(struct server *server, struct MHD_Connection *connection,
                             struct conn *conn)
{
    struct address peer;
    conn->over_limit = exchange_peer(connection, &peer) &&
                       !callers_connect(&server->app->callers, &peer, server->now);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *server = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        *socket_context = conns_add(&server->conns, fd, server->now);
        /* Without a deadline nobody is served. */
        if (*socket_context)
            count_connection(server, connection, *socket_context);
        else
            shutdown(fd, SHUT_RDWR);
    } else {
        conns_remove(&server->conns, *socket_context);
        *socket_context = NULL;
    }
}

/* Paths are decoded by the router, strictly: libmicrohttpd leaves them as they are. */
static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *ctx, const char *format,
                                                         va_list arguments)
{
    char text[256];
    (void)ctx;
    vsnprintf(text, sizeof text, format, arguments);
    log_debug("http", LOG_TEXT("says", text));
}

/* ---- the server ---- */

/* With TLS libmicrohttpd asks for a certificate at each handshake. */
static struct MHD_OptionItem tls_options[] = {
    {MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES},
    {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)tls_answer},
    {MHD_OPTION_END, 0, NULL},
};

static struct MHD_OptionItem no_options[] = {{MHD_OPTION_END, 0, NULL}};

struct server *server_new(struct app *app, char why[static APP_WHY_MAX + 1])
{
    struct server *server = calloc(1, sizeof *server);
    int fd = listen_open(app->config.http_listen, app->config.http_port, why, APP_WHY_MAX + 1);
    if (!server || fd < 0)
        goto fail;
    server->app = app;
    server->listen_fd = fd;
    conns_init(&server->conns);
    tls_use(app->tls);
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (app->tls ? MHD_USE_TLS : 0),
        0, NULL, NULL, on_request, server, MHD_OPTION_ARRAY, app->tls ? tls_options : no_options,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_PER_ADDRESS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_CONNECTION_MEMORY,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_END);
    if (!server->daemon) {
        snprintf(why, APP_WHY_MAX + 1, "the HTTP server does not start");
        goto fail;
    }
    server->epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return server;
fail:
    if (fd >= 0)
        close(fd);
    free(server);
    return NULL;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    server_quiesce(server);
    MHD_stop_daemon(server->daemon);
    prepared_clear(&server->prepared);
    free(server);
}

int server_fd(const struct server *server)
{
    return server->epoll_fd;
}

int64_t server_deadline(const struct server *server, int64_t now)
{
    MHD_UNSIGNED_LONG_LONG wait;
    int64_t deadline = conns_deadline(&server->conns);
    if (MHD_get_timeout(server->daemon, &wait) == MHD_YES && now + (int64_t)wait < deadline)
        deadline = now + (int64_t)wait;
    return deadline;
}

/* libmicrohttpd owns the socket: it sees the end and closes it. What a reader that does not read
 * has not taken is dropped then: the kernel would keep it for as long as the other end likes. */
static void cut(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shutdown(fd, SHUT_RDWR);
}

void server_run(struct server *server, int64_t now)
{
    struct conn *conn;
    server->now = now;
    while ((conn = conns_expire(&server->conns, now))) {
        cut(conn->fd);
        server->app->metrics.connections_cut++;
    }
    MHD_run(server->daemon);
}

void server_quiesce(struct server *server)
{
    if (server->listen_fd < 0)
        return;
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0)
        close(fd);
    server->listen_fd = -1;
}

bool server_is_idle(const struct server *server)
{
    return TAILQ_EMPTY(&server->conns.lanes[CONNS_ANSWER]);
}

size_t server_connections(const struct server *server)
{
    return server->conns.count;
}
