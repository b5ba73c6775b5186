#include "reply.h"

#include "headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER_S "2"

/* Header fields share the connection's memory with the request's (server.c): a policy of this size
 * fits beside it. */
#define POLICY_MAX 8192

/* A host of this length at least finds a policy that names BROKERS_MAX brokers. To a longer one the
 * page may be sent with the policy of the API, under which it does nothing. */
#define POLICY_HOST_MAX 100

/* A year, for this host alone: its subdomains are somebody else's. */
#define TRANSPORT_SECURITY "max-age=31536000"

#define API_POLICY "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/*
 * worker-src blob: is for MQTT.js, which keeps its timers in a worker made from a blob so that a
 * background tab keeps its keepalive. %s: the brokers.
 */
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "font-src 'self'; manifest-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; "      \
    "connect-src 'self'%s; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

static const struct {
    const char *name;
    const char *value;
} constant_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), "
                           "geolocation=(), payment=(), usb=()"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static const char *const cache_controls[] = {
    [CACHE_NO_STORE] = "no-store",
    [CACHE_NO_CACHE] = "no-cache",
    [CACHE_IMMUTABLE] = "public, max-age=31536000, immutable",
};

void reply_text(struct reply *reply, int status, const char *type, const char *text, size_t len)
{
    reply->owned = malloc(len + 1);
    if (!reply->owned) {
        reply->status = 500;
        return;
    }
    memcpy(reply->owned, text, len);
    reply->status = status;
    reply->type = type;
    reply->body = reply->owned;
    reply->len = len;
}

void reply_json(struct reply *reply, int status, const char *text, size_t len)
{
    /* A body that did not fit is a defect of ours, not an empty answer. */
    if (len == 0)
        reply_error(reply, STATUS_INTERNAL, NULL);
    else
        reply_text(reply, status, "application/json", text, len);
}

void reply_error(struct reply *reply, enum status error, const char *detail)
{
    char text[BODY_MAX];
    int http = status_http(error);
    size_t len = body_error(error, http, detail ? detail : status_detail(error), text, sizeof text);
    reply_text(reply, http, "application/problem+json", text, len);
    reply->retry_later = http == 429 || http == 503;
    reply->wants_bearer = http == 401;
}

void reply_page(struct reply *reply, int status, const struct page *page, bool accepts_gzip,
                const char *if_none_match)
{
    const struct page_form *form = page_choose(page, accepts_gzip);
    reply->status = status;
    reply->is_page = true;
    reply->varies = page->gzip.data != NULL;
    reply->cache = page->immutable ? CACHE_IMMUTABLE : CACHE_NO_CACHE;
    reply->type = page->type;
    reply->body = form->data;
    reply->len = form->len;
    reply->gzipped = form == &page->gzip;
    reply->retry_later = status == 503;
    /* Tags and conditions are for what is at this address, not for what stands in for it (RFC
     * 9110, 13.2.1). */
    if (status != 200)
        return;
    reply->etag = form->etag;
    if (header_etag_matches(if_none_match, form->etag)) {
        reply->status = 304;
        reply->type = NULL;
        reply->gzipped = false;
        reply->body = "";
        reply->len = 0;
    }
}

void reply_redirect(struct reply *reply, const char *room_id)
{
    reply->status = 308;
    reply->body = "";
    reply->cache = CACHE_NO_CACHE;
    snprintf(reply->location, sizeof reply->location, "/r/%s/", room_id);
}

void reply_clear(struct reply *reply)
{
    free(reply->owned);
    *reply = (struct reply){0};
}

/* Writes the policy of a page under `site`. False when it is too long. */
static bool page_policy(const struct site *site, const struct config *config,
                        char out[static POLICY_MAX])
{
    char origins[POLICY_MAX];
    if (!site_broker_origins(site, config, origins, sizeof origins))
        return false;
    return snprintf(out, POLICY_MAX, PAGE_POLICY, origins) < POLICY_MAX;
}

bool reply_policy_fits(const struct config *config)
{
    char policy[POLICY_MAX];
    struct site longest = {.tls = true};
    memset(longest.host, 'x', POLICY_HOST_MAX);
    return page_policy(&longest, config, policy);
}

static void add(struct MHD_Response *response, const char *name, const char *value, bool *fine)
{
    if (value && MHD_add_response_header(response, name, value) != MHD_YES)
        *fine = false;
}

static void add_security(struct MHD_Response *response, const struct reply *reply,
                         const struct site *site, const struct config *config, bool *fine)
{
    char policy[POLICY_MAX];
    bool has_policy = reply->is_page && site && page_policy(site, config, policy);
    add(response, "Content-Security-Policy", has_policy ? policy : API_POLICY, fine);
    for (size_t i = 0; i < sizeof constant_headers / sizeof constant_headers[0]; i++)
        add(response, constant_headers[i].name, constant_headers[i].value, fine);
    add(response, "Strict-Transport-Security", site_is_https(config) ? TRANSPORT_SECURITY : NULL,
        fine);
}

static void add_content(struct MHD_Response *response, const struct reply *reply, bool *fine)
{
    add(response, "Content-Type", reply->type, fine);
    add(response, "Content-Encoding", reply->gzipped ? "gzip" : NULL, fine);
    add(response, "ETag", reply->etag, fine);
    add(response, "Vary", reply->varies ? "Accept-Encoding" : NULL, fine);
    add(response, "Cache-Control", cache_controls[reply->cache], fine);
}

struct MHD_Response *reply_build(struct reply *reply, const struct site *site,
                                 const struct config *config)
{
    bool fine = true;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->len, (void *)(reply->owned ? reply->owned : reply->body),
        reply->owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    reply->owned = NULL;
    add_content(response, reply, &fine);
    add_security(response, reply, site, config, &fine);
    add(response, "Location", reply->location[0] ? reply->location : NULL, &fine);
    add(response, "Allow", reply->allow, &fine);
    add(response, "Retry-After", reply->retry_later ? RETRY_AFTER_S : NULL, &fine);
    add(response, "WWW-Authenticate", reply->wants_bearer ? "Bearer realm=\"parley\"" : NULL,
        &fine);
    add(response, "Connection", reply->is_last ? "close" : NULL, &fine);
    if (!fine) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}
