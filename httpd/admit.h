/*
 * admit: what every request has to pass before its handler sees it.
 */
#ifndef PARLEY_HTTPD_ADMIT_H
#define PARLEY_HTTPD_ADMIT_H

#include "app.h"

/* The address at the other end of the connection, a proxy's perhaps. False when there is none. */
bool exchange_peer(struct MHD_Connection *connection, struct address *out);

/*
 * Checks a request whose header fields have arrived and fills the exchange's route and site. `path`
 * and `version` are libmicrohttpd's, of the request line. STATUS_OK, or the error to answer with;
 * the reply's other fields are set then.
 */
enum status admit_request(struct exchange *exchange, const char *path, const char *version,
                          int64_t now);

/* False when the body is so large that nothing is gained by reading it. */
bool admit_body(const struct exchange *exchange);

#endif
