/* What roomd says about itself; see notices.h. */
#include "notices.h"

#include <stdio.h>
#include <string.h>

void notices_begin(struct notices *notices, int64_t now)
{
    memset(notices, 0, sizeof(*notices));
    notices->started = now;
    notices->stats_next = now + STATS_EVERY_MS;
    random_id_generate(notices->epoch);
}

void notices_new_epoch(struct notices *notices)
{
    random_id_generate(notices->epoch);
    notices->told.ever = false;
}

size_t notices_encode_status(const struct notices *notices, enum roomd_state state, bool publishing,
                             char out[static OUTBOUND_MAX])
{
    struct msg_roomd_status message = {.state = state, .publishing = publishing};
    snprintf(message.version, sizeof(message.version), "%s", PARLEY_VERSION);
    memcpy(message.epoch, notices->epoch, sizeof(message.epoch));
    return msg_encode_roomd_status(&message, out, OUTBOUND_MAX);
}

void notices_tell_status(const struct notices *notices, struct mailbox *out, enum roomd_state state,
                         bool publishing)
{
    const struct topic topic = {.kind = TOPIC_ROOMD_STATUS};
    char text[OUTBOUND_MAX];
    size_t len = notices_encode_status(notices, state, publishing, text);
    mailbox_add(out, &topic, text, len);
}

static bool has_news(const struct notices *notices, const struct stats *stats,
                     const struct rooms_counts *counts, bool store_ok)
{
    return !notices->told.ever || notices->told.store_ok != store_ok ||
           memcmp(&notices->told.stats, stats, sizeof(*stats)) != 0 ||
           memcmp(&notices->told.counts, counts, sizeof(*counts)) != 0;
}

void notices_tell_stats(struct notices *notices, struct mailbox *out, const struct stats *stats,
                        struct rooms_counts counts, bool store_ok, int64_t now)
{
    notices->stats_next = now + STATS_EVERY_MS;
    if (!has_news(notices, stats, &counts, store_ok)) {
        return;
    }
    const struct topic topic = {.kind = TOPIC_ROOMD_STATS};
    char text[OUTBOUND_MAX];
    size_t len =
        stats_encode(stats, counts, store_ok, (now - notices->started) / 1000, text, sizeof(text));
    mailbox_add(out, &topic, text, len);
    notices->told.ever = true;
    notices->told.stats = *stats;
    notices->told.counts = counts;
    notices->told.store_ok = store_ok;
}
