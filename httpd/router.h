/*
 * router: which row of the contract's table "HTTP" a request line names.
 *
 * Paths are decoded strictly (RFC 3986, 2.1), segment by segment, so that no encoding reaches what
 * its plain form would not: an encoded slash, `.`, `..` and empty segments name nothing (404); a
 * broken escape or a control character is no path at all (400).
 */
#ifndef PARLEY_HTTPD_ROUTER_H
#define PARLEY_HTTPD_ROUTER_H

#include "callers.h"

#include <stdbool.h>

enum route_id {
    ROUTE_HOME,
    ROUTE_ROOM_PAGE,
    ROUTE_ROOM_PAGE_BARE,
    ROUTE_ROOMS,
    ROUTE_ROOM,
    ROUTE_PEERS,
    ROUTE_RING,
    ROUTE_HEALTHZ,
    ROUTE_READYZ,
    ROUTE_METRICS,
    ROUTE_FILE, /* whatever no other row names: a file of the page, or nothing */
    ROUTE_COUNT
};

enum method { METHOD_OTHER = 0, METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4 };

struct route {
    const char *pattern; /* as the contract writes it; also the label of its metrics */
    unsigned methods;    /* a set of enum method */
    const char *allow;   /* the same as an Allow field (RFC 9110, 10.2.1) */
    bool works_hostless; /* the answer does not depend on the Host field */
    enum caller_limit limit;
};

/* Indexed by enum route_id. */
extern const struct route router_routes[ROUTE_COUNT];

enum router_answer { ROUTER_FOUND, ROUTER_NOT_FOUND, ROUTER_BAD_PATH };

#define ROUTER_PATH_MAX 511

struct router_match {
    enum route_id route;
    char path[ROUTER_PATH_MAX + 1];  /* decoded */
    char param[ROUTER_PATH_MAX + 1]; /* the decoded segment at the pattern's {…}, else "" */
};

/* Matches `path`, as it stood in the request line without its query. `out` is filled with
 * ROUTER_FOUND only. */
enum router_answer router_match(const char *path, struct router_match *out);

enum method router_method(const char *name);

#endif
