#include "admit.h"

#include "headers.h"
#include "intact.h"
#include "server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

bool exchange_peer(struct MHD_Connection *connection, struct address *out)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr && address_of_socket(info->client_addr, out);
}

struct joined {
    size_t len;
    char text[SERVER_CONNECTION_MEMORY]; /* all header fields fit into it */
};

/* Fields of one name count as one list, in their order (RFC 9110, 5.3). */
static enum MHD_Result join_forwarded(void *ctx, enum MHD_ValueKind kind, const char *key,
                                      const char *value)
{
    struct joined *joined = ctx;
    size_t left = sizeof joined->text - joined->len;
    (void)kind;
    if (strcasecmp(key, "X-Forwarded-For") != 0 || !value)
        return MHD_YES;
    int len = snprintf(joined->text + joined->len, left, "%s%s", joined->len > 0 ? "," : "", value);
    if (len < 0 || (size_t)len >= left)
        return MHD_NO;
    joined->len += (size_t)len;
    return MHD_YES;
}

static void find_client(struct exchange *exchange)
{
    struct joined forwarded = {.len = 0, .text = ""};
    struct address peer = {{0}};
    exchange_peer(exchange->connection, &peer);
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, join_forwarded, &forwarded);
    exchange->client = address_of_client(&peer, forwarded.text, &exchange->app->callers.trusted);
}

struct tally {
    const char *name;
    int count;
};

static enum MHD_Result tally_header(void *ctx, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct tally *tally = ctx;
    (void)kind;
    (void)value;
    tally->count += strcasecmp(key, tally->name) == 0;
    return MHD_YES;
}

static int count_headers(const struct exchange *exchange, const char *name)
{
    struct tally tally = {name, 0};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, tally_header, &tally);
    return tally.count;
}

/* libmicrohttpd reads a body in any other coding than `chunked` until the connection ends. */
static bool has_endless_body(const struct exchange *exchange)
{
    const char *coding = exchange_header(exchange, "Transfer-Encoding");
    return coding && strcasecmp(coding, "chunked") != 0;
}

/* A body whose length is told twice, or not at all, is how requests are smuggled past proxies (RFC
 * 9112, 6.3 and 11.2). */
static bool has_ambiguous_length(const struct exchange *exchange)
{
    int lengths = count_headers(exchange, "Content-Length");
    int codings = count_headers(exchange, "Transfer-Encoding");
    return lengths + codings > 1 || has_endless_body(exchange);
}

static bool has_body(const struct exchange *exchange)
{
    const char *length = exchange_header(exchange, "Content-Length");
    return (length && strcmp(length, "0") != 0) || exchange_header(exchange, "Transfer-Encoding");
}

static enum status check_host(struct exchange *exchange, bool works_hostless)
{
    const char *host = exchange_header(exchange, "Host");
    if (count_headers(exchange, "Host") > 1)
        return STATUS_BAD_REQUEST;
    exchange->has_site = site_of_request(host, exchange->app->config.http_public_url,
                                         exchange->app->tls != NULL, &exchange->site);
    return exchange->has_site || (!host && works_hostless) ? STATUS_OK : STATUS_BAD_REQUEST;
}

/* A browser says where a writing request comes from; it has to be our own page. Other clients say
 * nothing. */
static enum status check_post(const struct exchange *exchange)
{
    const char *origin = exchange_header(exchange, "Origin");
    if (origin &&
        (count_headers(exchange, "Origin") > 1 || !site_owns_origin(&exchange->site, origin)))
        return STATUS_FORBIDDEN;
    if (has_body(exchange) && !header_is_json(exchange_header(exchange, "Content-Type")))
        return STATUS_UNSUPPORTED_MEDIA_TYPE;
    return STATUS_OK;
}

static enum status find_route(struct exchange *exchange, const char *path)
{
    switch (router_match(path, &exchange->match)) {
    case ROUTER_BAD_PATH:
        return STATUS_BAD_REQUEST;
    case ROUTER_NOT_FOUND:
        return STATUS_NOT_FOUND;
    case ROUTER_FOUND:
        break;
    }
    exchange->is_matched = true;
    bool is_nothing = exchange->match.route == ROUTE_FILE &&
                      !pages_find(exchange->app->pages, exchange->match.path);
    return is_nothing ? STATUS_NOT_FOUND : STATUS_OK;
}

/*
 * libmicrohttpd ends the target at a NUL and would answer what stands before it. The version
 * follows the target in one buffer, a byte apart: anything else between them is no HTTP (RFC 9112,
 * 3).
 */
static bool has_broken_target(const struct exchange *exchange, const char *version)
{
    uintptr_t gap = (uintptr_t)version - (uintptr_t)exchange->target_end;
    return gap > 1 && gap < SERVER_CONNECTION_MEMORY;
}

static enum status check_limit(struct exchange *exchange, enum caller_limit limit, int64_t now)
{
    if (limit == LIMIT_NONE)
        return STATUS_OK;
    find_client(exchange);
    return callers_take(&exchange->app->callers, limit, &exchange->client, now)
               ? STATUS_OK
               : STATUS_TOO_MANY_REQUESTS;
}

enum status admit_request(struct exchange *exchange, const char *method, const char *path,
                          const char *version, int64_t now)
{
    enum status status = STATUS_OK;
    if (has_ambiguous_length(exchange) || has_broken_target(exchange, version) ||
        !intact_fields(exchange->connection, method, version)) {
        exchange->reply.is_last = true;
        return STATUS_BAD_REQUEST;
    }
    if (exchange->is_over_limit) {
        exchange->reply.is_last = true;
        return STATUS_TOO_MANY_REQUESTS;
    }
    status = find_route(exchange, path);
    if (status != STATUS_OK)
        return status;
    const struct route *route = &router_routes[exchange->match.route];
    status = check_host(exchange, route->works_hostless);
    if (status == STATUS_OK && !(route->methods & exchange->method)) {
        exchange->reply.allow = route->allow;
        return STATUS_METHOD_NOT_ALLOWED;
    }
    if (status == STATUS_OK && exchange->method == METHOD_POST)
        status = check_post(exchange);
    return status == STATUS_OK ? check_limit(exchange, route->limit, now) : status;
}

bool admit_body(const struct exchange *exchange)
{
    const char *length = exchange_header(exchange, "Content-Length");
    return !has_endless_body(exchange) &&
           (!length || strtoull(length, NULL, 10) <= SERVER_DRAIN_MAX);
}
