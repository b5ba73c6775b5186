/*
 * site: under which address a request reached us, and the addresses that follow from it.
 *
 * Links, the broker's URL, the page's Content-Security-Policy and the check of `Origin` are all
 * made from it. The Host field comes from outside: only host[:port] in its strict form is taken
 * (RFC 9110, 7.2), so nothing made from it can hold a blank, a quote or a path.
 */
#ifndef PARLEY_HTTPD_SITE_H
#define PARLEY_HTTPD_SITE_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>

/* A DNS name has 253 bytes at most (RFC 1035); brackets and `:65535` besides. */
#define HOST_MAX 263

struct site {
    char base[CONFIG_TEXT_MAX + 1];   /* what links begin with, without a slash at the end */
    char origin[CONFIG_TEXT_MAX + 1]; /* scheme://host[:port] of `base` (RFC 6454) */
    char host[HOST_MAX + 1];          /* its host name alone; IPv6 in brackets */
    char asked[HOST_MAX + 9]; /* http[s]:// and the Host of this request: also our own origin */
    bool tls;                 /* this server's and the broker's listeners speak TLS */
};

/*
 * Fills `out` from the Host field and `[http] public_url` ("" = none), which goes first; `tls`: by
 * TLS the request came.
 * `host_field` NULL stands for a request without one: fine with a public URL only. False when the
 * field or the URL is not of its form.
 */
bool site_of_request(const char *host_field, const char *public_url, bool tls, struct site *out);

/* Do browsers reach this site by HTTPS only, here or at a proxy that public_url stands for? Then it
 * says so (Strict-Transport-Security). */
bool site_is_https(const struct config *config);

/* Is `origin` (the request's Origin field) this site's own, byte for byte? */
bool site_owns_origin(const struct site *site, const char *origin);

/* What a browser is told of `broker`: its ws_url with `{host}` filled in. False when it does not
 * fit `size` bytes. */
bool site_broker_url(const struct site *site, const struct config_broker *broker, char *out,
                     size_t size);

/*
 * Every broker's websocket origin, a blank before each and none twice, for `connect-src`. False
 * when that does not fit `size` bytes.
 */
bool site_broker_origins(const struct site *site, const struct config *config, char *out,
                         size_t size);

#endif
