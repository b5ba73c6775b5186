#include "stats.h"

#include "common/json_write.h"

size_t gate_stats_encode(const struct gate_counts *counts, const struct gate_gauges *gauges,
                         char *out, size_t size)
{
    struct json_out json = json_start(out, size);
    json_open(&json, NULL, '{');
    json_count(&json, "connected", gauges->connected);
    json_count(&json, "known", gauges->known);
    json_count(&json, "rooms", gauges->rooms);
#define GATE_COUNT_WRITE(name) json_count(&json, #name, counts->name);
    GATE_COUNTERS(GATE_COUNT_WRITE)
#undef GATE_COUNT_WRITE
    json_open(&json, "connects", '{');
    for (enum admission i = 0; i < ADMISSION_COUNT; i++)
        json_count(&json, admission_name(i), counts->connects[i]);
    json_close(&json, '}');
    json_close(&json, '}');
    return json_finish(&json);
}
