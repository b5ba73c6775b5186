/*
 * app: everything that httpd has while it runs, and one request on its way through it.
 *
 * libmicrohttpd is known to server.c, admit.c and reply.c only. A handler reads an exchange and
 * fills its reply; or it leaves the reply empty, asks somebody, and fills it when the answer comes
 * (exchange_finish).
 */
#ifndef PARLEY_HTTPD_APP_H
#define PARLEY_HTTPD_APP_H

#include "callers.h"
#include "metrics.h"
#include "reply.h"
#include "tls.h"
#include "upstream.h"

#include "common/token.h"
#include "common/wall.h"

struct exchange;
struct server;
TAILQ_HEAD(exchange_list, exchange);

/* The question behind /readyz, see handle_probes.c. */
struct ready {
    struct exchange_list asking; /* who waits for the answer under way */
    struct waiter waiters[BROKERS_MAX];
    unsigned unanswered; /* brokers still asked */
    const char *fault;   /* what is wrong; NULL = ready */
    int64_t fresh_until; /* monotonic ms: until then the last good answer counts */
};

struct app {
    struct config config;
    struct keyring *keyring;
    struct turn_secret turn_secret;
    struct tls *tls; /* NULL without tls_cert */
    struct pages *pages;
    const struct page *index_page;
    const struct page *call_page;
    struct pending pending;
    struct upstream upstream;
    struct ready ready;
    struct metrics metrics;
    struct callers callers;
    struct wall wall;
    struct server *server;
};

struct exchange {
    struct app *app;
    struct MHD_Connection *connection;
    const char *target_end; /* where the request line's target ends, in libmicrohttpd's memory */
    bool has_begun;         /* its header fields are here */
    bool is_over_limit;     /* its connection is one too many */
    enum method method;
    struct address client; /* who asks, behind trusted proxies */
    struct router_match match;
    bool is_matched; /* `match` is filled */
    struct site site;
    bool has_site;   /* `site` is filled */
    char *body;      /* what has arrived of it, HTTP_BODY_MAX at most */
    size_t body_len; /* all that has arrived, kept or not */
    struct reply reply;

    bool is_suspended; /* waits for an answer */
    struct waiter waiter;
    struct msg_http_ring ring; /* POST ring: what was asked */
    TAILQ_ENTRY(exchange) in_ready;
};

#define APP_WHY_MAX 1023

/*
 * Loads keys, the certificate, the TURN secret and the pages that `app->config` names.
 * STATUS_INTERNAL, with a sentence in `why`, when one of them is not as it has to be. What was
 * loaded is freed by app_unload in any case.
 */
enum status app_load(struct app *app, char why[static APP_WHY_MAX + 1]);
void app_unload(struct app *app);

/*
 * Verifies an access token now (token_verify): one that was issued before the wall clock was set
 * forward counts for as long as was meant.
 */
enum status app_verify(struct app *app, const char *token, size_t len, struct token_claims *out);

/* The value of a request's header field, or NULL; it lives as long as the request. */
const char *exchange_header(const struct exchange *exchange, const char *name);

/* The reply of a suspended exchange is filled: it goes out. */
void exchange_finish(struct exchange *exchange);

/* ---- handlers: each fills the reply, or asks ---- */

void handle_home(struct exchange *exchange, int64_t now);
void handle_room_page(struct exchange *exchange, int64_t now);
void handle_room_page_bare(struct exchange *exchange, int64_t now);
void handle_file(struct exchange *exchange, int64_t now);
void handle_rooms(struct exchange *exchange, int64_t now);
void handle_room(struct exchange *exchange, int64_t now);
void handle_peers(struct exchange *exchange, int64_t now);
void handle_ring(struct exchange *exchange, int64_t now);
void handle_healthz(struct exchange *exchange, int64_t now);
void handle_readyz(struct exchange *exchange, int64_t now);
void handle_metrics(struct exchange *exchange, int64_t now);

#endif
