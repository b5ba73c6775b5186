/*
 * reply: an answer as plain data, and the one place where it becomes a response with all its header
 * fields.
 */
#ifndef PARLEY_HTTPD_REPLY_H
#define PARLEY_HTTPD_REPLY_H

#include "bodies.h"
#include "pages.h"
#include "site.h"

#include <microhttpd.h>
#include <stdbool.h>

enum reply_cache {
    CACHE_NO_STORE,  /* what the API says is true only now */
    CACHE_NO_CACHE,  /* kept, but asked for each time by its ETag */
    CACHE_IMMUTABLE, /* the address names the content */
};

struct reply {
    int status;       /* 0: not answered yet */
    const char *type; /* Content-Type, or NULL without a body */
    const char *body;
    size_t len;
    char *owned; /* the body, when it is the reply's own (malloc); else the body outlives it */
    enum reply_cache cache;
    const char *etag;
    bool gzipped; /* the body is */
    bool varies;  /* by Accept-Encoding */
    bool is_page; /* the page's Content-Security-Policy, not the API's */
    const char *allow;
    bool retry_later;  /* Retry-After */
    bool is_last;      /* nothing that follows on this connection can be trusted: it ends */
    bool wants_bearer; /* WWW-Authenticate */
    char location[ROOM_ID_MAX + 16];
};

/* All set a reply that is empty so far. Texts are copied, but for the page's content. */
void reply_text(struct reply *reply, int status, const char *type, const char *text, size_t len);
void reply_json(struct reply *reply, int status, const char *text, size_t len);
/* `detail` NULL: the error's own sentence. */
void reply_error(struct reply *reply, enum status error, const char *detail);
/* Takes `if_none_match` (may be NULL) into account when `status` is 200. */
void reply_page(struct reply *reply, int status, const struct page *page, bool accepts_gzip,
                const char *if_none_match);
void reply_redirect(struct reply *reply, const char *room_id);

/*
 * Builds the response of `reply`, whose own body passes to it. `site` may be NULL when the
 * request's Host was not readable. NULL when there is no memory.
 */
struct MHD_Response *reply_build(struct reply *reply, const struct site *site,
                                 const struct config *config);

/* Can the page's Content-Security-Policy name every broker of `config`? Asked once, at the start.
 */
bool reply_policy_fits(const struct config *config);

void reply_clear(struct reply *reply);

#endif
