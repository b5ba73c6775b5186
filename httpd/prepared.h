/*
 * prepared: responses with pages, kept for the next who asks for the same.
 *
 * A page's response depends on little: which form of which file, the status, and the host that the
 * page's policy names. Building it costs some forty allocations, more than all else that httpd does
 * for a request; so it is built once and sent again. Hosts come from outside: there is one
 * place for each of a few forms, and whoever asks by another host takes it over.
 */
#ifndef PARLEY_HTTPD_PREPARED_H
#define PARLEY_HTTPD_PREPARED_H

#include "reply.h"

#define PREPARED_BITS 6 /* 64 places, for 13 files in two forms */

struct prepared_place {
    struct MHD_Response *response; /* NULL: nothing is kept here */
    const char *body;              /* of the form, which stays where it is */
    char host[HOST_MAX + 1];
};

struct prepared {
    struct prepared_place places[1 << PREPARED_BITS];
};

/*
 * Answers with the response of `reply` for `site` (reply_build), kept or new: queues it. MHD_NO
 * when that fails.
 */
enum MHD_Result prepared_queue(struct prepared *prepared, struct MHD_Connection *connection,
                               struct reply *reply, const struct site *site,
                               const struct config *config);

/* Gives back what is kept; what is on its way stays whole until it has arrived. */
void prepared_clear(struct prepared *prepared);

#endif
