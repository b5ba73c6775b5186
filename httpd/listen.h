/*
 * listen: the socket that httpd listens on.
 */
#ifndef PARLEY_HTTPD_LISTEN_H
#define PARLEY_HTTPD_LISTEN_H

#include <stddef.h>

/*
 * A listening, non-blocking TCP socket on `address` (IPv4 or IPv6; `::` takes IPv4 too) and `port`,
 * whose connections take over its bounded send buffer. -1, with a sentence in `why`, when that
 * fails.
 */
int listen_open(const char *address, unsigned port, char *why, size_t why_size);

#endif
