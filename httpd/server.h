/*
 * server: HTTP by libmicrohttpd, without a thread of its own: its epoll descriptor sits in httpd's
 * one poll loop.
 */
#ifndef PARLEY_HTTPD_SERVER_H
#define PARLEY_HTTPD_SERVER_H

#include "app.h"

/* All connections, and those of one address: a proxy in front or a benchmark comes from one
 * address, a drip attack too. */
#define SERVER_CONNECTIONS_MAX             4096
#define SERVER_CONNECTIONS_PER_ADDRESS_MAX 2048

/* Memory of one connection: bounds the request line and header fields (431 beyond) and holds the
 * response's. */
#define SERVER_CONNECTION_MEMORY (32 * 1024)

/* A body that is too large is still read up to here, so that its sender hears why it was refused.
 */
#define SERVER_DRAIN_MAX (1024 * 1024)

/* Listens as `app->config` says. NULL, with a sentence in `why`, when that fails. Freed by
 * server_free. */
struct server *server_new(struct app *app, char why[static APP_WHY_MAX + 1]);

/* Ends all connections. No exchange may be waiting for an answer any more. NULL is fine. */
void server_free(struct server *server);

/* The descriptor to poll for POLLIN. */
int server_fd(const struct server *server);

/* When server_run has to be called at the latest, on the monotonic clock. */
int64_t server_deadline(const struct server *server, int64_t now);

/* Does what is due. */
void server_run(struct server *server, int64_t now);

/* Listens no more; open connections go on. */
void server_quiesce(struct server *server);

/* Is no answer on its way? */
bool server_is_idle(const struct server *server);

size_t server_connections(const struct server *server);

#endif
