/*
 * intact: did libmicrohttpd hand on the header fields that stood in the request?
 *
 * It ends every text at a NUL, takes a blank before a colon for part of the name, and joins folded
 * lines. What follows would then be decided on other fields than a proxy in front has read, which
 * is how requests are smuggled past it: so none of the three is a request (RFC 9110, 5.5; RFC 9112,
 * 5.1 and 5.2).
 */
#ifndef PARLEY_HTTPD_INTACT_H
#define PARLEY_HTTPD_INTACT_H

#include <microhttpd.h>
#include <stdbool.h>

/* `method` and `version` are libmicrohttpd's, of the request line: all stands in one buffer between
 * them and the body. */
bool intact_fields(struct MHD_Connection *connection, const char *method, const char *version);

#endif
