/*
 * The page: its files from memory, and the two addresses that depend on a room.
 *
 * A room's address always answers with a whole page. Which one, and with which status, is all that
 * httpd says: index.html at /r/{room}/ (404) is how the page's script knows that there is no such
 * room.
 */
#include "app.h"
#include "headers.h"

#include <string.h>

static void answer_page(struct exchange *exchange, int status, const struct page *page)
{
    reply_page(&exchange->reply, status, page,
               header_accepts_gzip(exchange_header(exchange, "Accept-Encoding")),
               exchange_header(exchange, "If-None-Match"));
}

void handle_home(struct exchange *exchange, int64_t now)
{
    (void)now;
    answer_page(exchange, 200, exchange->app->index_page);
}

void handle_room_page(struct exchange *exchange, int64_t now)
{
    struct app *app = exchange->app;
    (void)now;
    switch (upstream_find_room(&app->upstream, exchange->match.param).answer) {
    case ROOM_EXISTS:
        answer_page(exchange, 200, app->call_page);
        break;
    case ROOM_MISSING:
        answer_page(exchange, 404, app->index_page);
        break;
    case ROOM_UNKNOWN:
        /* Whoever reloads in the middle of a call while the broker is away gets the page that waits
         * for it. */
        answer_page(exchange, 503, app->call_page);
        break;
    }
}

void handle_room_page_bare(struct exchange *exchange, int64_t now)
{
    const char *room_id = exchange->match.param;
    if (id_is_valid(room_id, strlen(room_id)))
        reply_redirect(&exchange->reply, room_id);
    else
        handle_room_page(exchange, now);
}

void handle_file(struct exchange *exchange, int64_t now)
{
    const struct page *page = pages_find(exchange->app->pages, exchange->match.path);
    (void)now;
    if (page)
        answer_page(exchange, 200, page);
    else
        reply_error(&exchange->reply, STATUS_NOT_FOUND, NULL);
}
