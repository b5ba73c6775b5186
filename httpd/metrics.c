#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void metrics_count_request(struct metrics *metrics, enum route_id route, int status)
{
    if (status >= 0 && status <= METRICS_STATUS_MAX)
        metrics->requests[route][status]++;
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
    head(out, name, type, help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void requests(FILE *out, const struct metrics *metrics)
{
    static const char name[] = "parley_httpd_requests_total";
    head(out, name, "counter", "Requests answered, by route and status.");
    for (int route = 0; route < ROUTE_COUNT; route++) {
        for (int status = 0; status <= METRICS_STATUS_MAX; status++) {
            if (metrics->requests[route][status] > 0)
                fprintf(out, "%s{route=\"%s\",status=\"%d\"} %" PRIu64 "\n", name,
                        router_routes[route].pattern, status, metrics->requests[route][status]);
        }
    }
}

static uint64_t connected_of(const struct metrics_broker *broker)
{
    return broker->connected;
}

static uint64_t roomd_of(const struct metrics_broker *broker)
{
    return broker->roomd_online;
}

static uint64_t rooms_of(const struct metrics_broker *broker)
{
    return broker->rooms;
}

static uint64_t devices_of(const struct metrics_broker *broker)
{
    return broker->devices;
}

static const struct {
    const char *name;
    const char *help;
    uint64_t (*value)(const struct metrics_broker *broker);
} broker_gauges[] = {
    {"parley_httpd_broker_connected", "Whether the broker is connected.", connected_of},
    {"parley_httpd_roomd_online", "Whether the broker's roomd says that it is online.", roomd_of},
    {"parley_httpd_rooms", "Rooms mirrored from the broker.", rooms_of},
    {"parley_httpd_devices", "Devices that are online or in a call.", devices_of},
};

/* Broker names are of the ids' alphabet (config.h), so no label needs escaping. */
static void brokers(FILE *out, const struct metrics_now *now)
{
    for (size_t i = 0; i < sizeof broker_gauges / sizeof broker_gauges[0]; i++) {
        head(out, broker_gauges[i].name, "gauge", broker_gauges[i].help);
        for (unsigned b = 0; b < now->broker_count; b++)
            fprintf(out, "%s{broker=\"%s\"} %" PRIu64 "\n", broker_gauges[i].name,
                    now->brokers[b].name, broker_gauges[i].value(&now->brokers[b]));
    }
}

static void refusals(FILE *out, const struct metrics_now *now)
{
    static const char name[] = "parley_httpd_refused_total";
    head(out, name, "counter",
         "Requests refused (429) because their address asked too often, by limit.");
    for (enum caller_limit limit = LIMIT_NONE + 1; limit < LIMIT_COUNT; limit++)
        fprintf(out, "%s{limit=\"%s\"} %" PRIu64 "\n", name, caller_limit_names[limit],
                now->refused[limit]);
}

static void reports(FILE *out, const struct metrics_now *now)
{
    struct report_row roomd[BROKERS_MAX], gate[BROKERS_MAX];
    for (unsigned i = 0; i < now->broker_count; i++) {
        roomd[i] = (struct report_row){now->brokers[i].name, now->brokers[i].roomd};
        gate[i] = (struct report_row){now->brokers[i].name, now->brokers[i].gate};
    }
    report_write(out, "roomd", roomd, now->broker_count);
    report_write(out, "gate", gate, now->broker_count);
}

char *metrics_text(const struct metrics *metrics, const struct metrics_now *now, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        return NULL;
    head(out, "parley_httpd_build_info", "gauge", "Always 1; the version is its label.");
    fprintf(out, "parley_httpd_build_info{version=\"%s\"} 1\n", PARLEY_VERSION);
    requests(out, metrics);
    head(out, "parley_httpd_tokens_issued_total", "counter", "Tokens given to people.");
    fprintf(out, "parley_httpd_tokens_issued_total{kind=\"new\"} %" PRIu64 "\n",
            metrics->tokens_new);
    fprintf(out, "parley_httpd_tokens_issued_total{kind=\"renewed\"} %" PRIu64 "\n",
            metrics->tokens_renewed);
    single(out, "parley_httpd_connections_cut_total", "counter",
           "Connections ended because a request or answer took too long.",
           metrics->connections_cut);
    single(out, "parley_httpd_connections", "gauge", "Open connections.", now->connections);
    single(out, "parley_httpd_pending", "gauge",
           "Questions that wait for the answer of roomd or a device.", now->pending);
    refusals(out, now);
    brokers(out, now);
    reports(out, now);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
