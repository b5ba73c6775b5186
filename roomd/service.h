/*
 * service: roomd at work: one poll loop over the broker, signals and deadlines.
 *
 * What arrives in one turn is one batch: the rules run, the store writes once, and only then is
 * anybody told (docs/protocol.md, rule 6). If the store cannot write, the same batch runs again
 * with nobody new let in, so that a full disk ends no call.
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
    struct store *store;
    int signal_fd; /* a signalfd(2): SIGTERM and SIGINT end the service, SIGHUP reads the keys again
                    */
};

/* Serves until a signal says to stop. STATUS_INTERNAL when it could not begin. */
enum status service_run(const struct service_options *options);

#endif
