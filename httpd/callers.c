#include "callers.h"

const char *const caller_limit_names[LIMIT_COUNT] = {
    [LIMIT_NONE] = "none",
    [LIMIT_CONNECTS] = "connects",
    [LIMIT_ROOMS] = "rooms",
    [LIMIT_TOKENS] = "tokens",
};

enum status callers_init(struct callers *callers, const struct config *config)
{
    const unsigned per_min[LIMIT_COUNT] = {
        [LIMIT_CONNECTS] = config->address_connects_per_min,
        [LIMIT_ROOMS] = config->address_rooms_per_min,
        [LIMIT_TOKENS] = config->address_tokens_per_min,
    };
    *callers = (struct callers){.trusted.count = 0};
    if (!address_nets_parse(config->trusted_proxies, &callers->trusted))
        return STATUS_INTERNAL;
    for (enum caller_limit limit = LIMIT_NONE + 1; limit < LIMIT_COUNT; limit++) {
        callers->parties[limit] = parties_new(bucket_per_min(per_min[limit]));
        if (!callers->parties[limit])
            return STATUS_INTERNAL;
    }
    return STATUS_OK;
}

void callers_clear(struct callers *callers)
{
    for (enum caller_limit limit = LIMIT_NONE + 1; limit < LIMIT_COUNT; limit++)
        parties_free(callers->parties[limit]);
    *callers = (struct callers){.trusted.count = 0};
}

bool callers_connect(struct callers *callers, const struct address *peer, int64_t now)
{
    return address_nets_have(&callers->trusted, peer) ||
           callers_take(callers, LIMIT_CONNECTS, peer, now);
}

bool callers_take(struct callers *callers, enum caller_limit limit, const struct address *client,
                  int64_t now)
{
    if (limit == LIMIT_NONE || parties_take(callers->parties[limit], client, now))
        return true;
    callers->refused[limit]++;
    return false;
}
