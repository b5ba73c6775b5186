#include "meter.h"

#include "common/limits.h"

#define SECOND_MS 1000
#define MINUTE_MS 60000

static const struct bucket_rate patience = {METER_PATIENCE_PER_S, SECOND_MS, METER_PATIENCE_BURST};
static const struct bucket_rate told = {1, SECOND_MS, 1};

struct meter_rates meter_rates(const struct config *config)
{
    return (struct meter_rates){
        .messages = bucket_per_s(config->client_messages_per_s, 1),
        .bytes = bucket_per_s(config->client_bytes_per_s, PAYLOAD_MAX),
        .subscribes = {config->client_messages_per_s > 0 ? METER_SUBSCRIBES_PER_MIN : 0, MINUTE_MS,
                       METER_SUBSCRIBES_BURST},
        .inbox = {config->client_bytes_per_s > 0 ? METER_INBOX_PER_S : 0, SECOND_MS,
                  METER_INBOX_BURST},
        .connects = bucket_per_min(config->address_connects_per_min),
    };
}

enum meter_limit meter_publish(struct meter *meter, const struct meter_rates *rates, size_t bytes,
                               int64_t now)
{
    /* What is larger is refused for its size alone. */
    unsigned counted = bytes < PAYLOAD_MAX ? (unsigned)bytes : PAYLOAD_MAX;
    if (!bucket_take(&meter->messages, &rates->messages, 1, now))
        return METER_MESSAGES;
    return bucket_take(&meter->bytes, &rates->bytes, counted, now) ? METER_FINE : METER_BYTES;
}

enum meter_limit meter_subscribe(struct meter *meter, const struct meter_rates *rates, int64_t now)
{
    if (!bucket_take(&meter->messages, &rates->messages, 1, now))
        return METER_MESSAGES;
    return bucket_take(&meter->subscribes, &rates->subscribes, 1, now) ? METER_FINE
                                                                       : METER_SUBSCRIBES;
}

enum meter_verdict meter_refuse(struct meter *meter, int64_t now)
{
    if (!bucket_take(&meter->patience, &patience, 1, now))
        return METER_PUT_OUT;
    return bucket_take(&meter->told, &told, 1, now) ? METER_TELL : METER_SILENT;
}

bool meter_queue(struct meter *meter, size_t bytes)
{
    if (meter->waiting >= METER_WAITING_MESSAGES ||
        bytes > METER_WAITING_BYTES - meter->waiting_bytes)
        return false;
    meter->waiting++;
    meter->waiting_bytes += bytes;
    return true;
}

bool meter_deliver(struct meter *meter, const struct meter_rates *rates, size_t bytes, int64_t now)
{
    return bytes <= METER_INBOX_BURST &&
           bucket_take(&meter->inbox, &rates->inbox, (unsigned)bytes, now);
}

void meter_back(struct meter *meter)
{
    meter->inbox = (struct bucket){0};
    meter->waiting = 0;
    meter->waiting_bytes = 0;
}
