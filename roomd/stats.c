/* The text of roomd/stats; see stats.h. */
#include "stats.h"

#include "common/json_write.h"

size_t stats_encode(const struct stats *stats, struct rooms_counts counts, bool store_ok,
                    int64_t uptime_s, char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    json_count(&json, "uptime_s", (uint64_t)uptime_s);
    json_count(&json, "rooms", counts.rooms);
    json_count(&json, "peers", counts.peers);
    json_count(&json, "present", counts.present);
    json_flag(&json, "store_ok", store_ok);
#define STATS_WRITE(name) json_count(&json, #name, stats->name);
    STATS_COUNTERS(STATS_WRITE)
#undef STATS_WRITE
    json_open(&json, "errors", '{');
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (stats->errors[i] > 0) {
            json_count(&json, status_id((enum status)i), stats->errors[i]);
        }
    }
    json_close(&json, '}');
    json_close(&json, '}');
    return json_finish(&json);
}
