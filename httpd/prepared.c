#include "prepared.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Only a page as it is: an error says what it is about, and a 304 has no form. */
static bool is_kept(const struct reply *reply, const struct site *site)
{
    return reply->is_page && reply->status == 200 && !reply->is_last && site;
}

/* By Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4) of where the body is. */
static size_t place_of(const char *body)
{
    return (size_t)(((uint64_t)(uintptr_t)body * 0x9e3779b97f4a7c15U) >> (64 - PREPARED_BITS));
}

static enum MHD_Result queue_new(struct MHD_Connection *connection, struct reply *reply,
                                 const struct site *site, const struct config *config)
{
    struct MHD_Response *response = reply_build(reply, site, config);
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result prepared_queue(struct prepared *prepared, struct MHD_Connection *connection,
                               struct reply *reply, const struct site *site,
                               const struct config *config)
{
    if (!is_kept(reply, site))
        return queue_new(connection, reply, site, config);
    struct prepared_place *place = &prepared->places[place_of(reply->body)];
    if (!place->response || place->body != reply->body || strcmp(place->host, site->host) != 0) {
        struct MHD_Response *response = reply_build(reply, site, config);
        if (!response)
            return MHD_NO;
        if (place->response)
            MHD_destroy_response(place->response);
        place->response = response;
        place->body = reply->body;
        memcpy(place->host, site->host, sizeof place->host);
    }
    return MHD_queue_response(connection, (unsigned)reply->status, place->response);
}

void prepared_clear(struct prepared *prepared)
{
    for (size_t i = 0; i < sizeof prepared->places / sizeof prepared->places[0]; i++) {
        if (prepared->places[i].response)
            MHD_destroy_response(prepared->places[i].response);
    }
    *prepared = (struct prepared){0};
}
