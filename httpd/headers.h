/*
 * headers: what request header fields say, as pure functions of their text (RFC 9110).
 */
#ifndef PARLEY_HTTPD_HEADERS_H
#define PARLEY_HTTPD_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does `accept_encoding` (NULL when the field is absent) admit gzip? Weights count: `gzip;q=0` and
 * `*;q=0` forbid it (12.5.3). What does not parse admits nothing, since the plain form is always
 * right.
 */
bool header_accepts_gzip(const char *accept_encoding);

/* Does `if_none_match` (NULL when absent) name `etag`, a quoted strong tag? Weak comparison, lists
 * and `*` (13.1.2). */
bool header_etag_matches(const char *if_none_match, const char *etag);

/* Is `content_type` (NULL when absent) application/json, with or without parameters (8.3.1)? */
bool header_is_json(const char *content_type);

/*
 * The token in `authorization`, or NULL when its scheme is not Bearer (RFC 6750, 2.1) or it holds
 * no token. `*len` gets the token's length; it points into `authorization`.
 */
const char *header_bearer(const char *authorization, size_t *len);

#endif
