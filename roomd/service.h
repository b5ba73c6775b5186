/*
 * service: roomd at work: one poll loop over the broker, signals and deadlines.
 *
 * What arrives in one turn is one batch: the rules run, the store writes once, and only then is
 * anybody told (docs/protocol.md, rule 6). If the store cannot write, the same batch runs again
 * with nobody new let in, so that a full disk ends no call.
 *
 * Any number of them may run at one broker, with one store between them. The broker lets one in, and
 * the others try again until it does: whoever is let in claims the store, reads it, and is at work.
 * One that finds the store claimed by another, for it was stopped or starved meanwhile, ends.
 *
 * A new epoch is shown at every connect, not at every start only: a broker that was restarted has
 * thrown away what was sent to us meanwhile, and the peers say it again when they see a new epoch.
 */
#ifndef PARLEY_SERVICE_H
#define PARLEY_SERVICE_H

#include "store.h"

#include "common/config.h"
#include "common/status.h"
#include "common/token.h"

/* Everything in it is the caller's and has to outlive the call. */
struct service_options {
    const struct config *config;
    const struct config_broker *broker;
    const char *store_path;
    int signal_fd; /* a signalfd(2): SIGTERM and SIGINT end the service, SIGHUP reads the keys again
                    */
};

/* Serves until a signal says to stop. STATUS_INTERNAL when it could not begin, or cannot go on: no
 * store, or one that is another's by now. */
enum status service_run(const struct service_options *options);

#endif
