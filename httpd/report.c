#include "report.h"

#include "common/fields.h"

#include <inttypes.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

/* What goes up and down; everything else is a counter. */
static const char *const gauges[] = {"uptime_s", "rooms",     "peers", "present",
                                     "store_ok", "connected", "known"};

static bool is_gauge(const char *name)
{
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        if (strcmp(name, gauges[i]) == 0)
            return true;
    }
    return false;
}

static bool is_word(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= REPORT_NAME_MAX && strspn(text, letters) == len;
}

static bool is_name(const char *text)
{
    return is_word(text) && !strchr(text, '-') && (text[0] < '0' || text[0] > '9');
}

static void add(struct report *report, const char *name, const char *word, const cJSON *item)
{
    struct report_value *value = &report->values[report->count];
    bool is_number = cJSON_IsNumber(item) && item->valuedouble >= 0 &&
                     item->valuedouble <= (double)FIELD_COUNT_MAX;
    if (report->count == REPORT_VALUES_MAX || (!is_number && !cJSON_IsBool(item)))
        return;
    snprintf(value->name, sizeof value->name, "%s", name);
    snprintf(value->word, sizeof value->word, "%s", word);
    value->number = is_number ? (uint64_t)item->valuedouble : (uint64_t)cJSON_IsTrue(item);
    report->count++;
}

enum status report_take(struct report *report, struct payload payload)
{
    struct fields fields;
    struct msg_fault fault;
    cJSON *object = fields_open(payload, OUTBOUND_MAX, &fields, &fault);
    const cJSON *item, *inner;
    if (!object)
        return STATUS_BAD_REQUEST;
    report->count = 0;
    cJSON_ArrayForEach(item, object)
    {
        if (!is_name(item->string))
            continue;
        if (!cJSON_IsObject(item)) {
            add(report, item->string, "", item);
            continue;
        }
        cJSON_ArrayForEach(inner, item)
        {
            if (is_word(inner->string))
                add(report, item->string, inner->string, inner);
        }
    }
    cJSON_Delete(object);
    return STATUS_OK;
}

/* Does a value of the same name stand before that of `rows[row]` at `index`? */
static bool is_written(const struct report_row *rows, unsigned row, unsigned index)
{
    const char *name = rows[row].report->values[index].name;
    for (unsigned i = 0; i <= row; i++) {
        unsigned end = i < row ? rows[i].report->count : index;
        for (unsigned k = 0; k < end; k++) {
            if (strcmp(rows[i].report->values[k].name, name) == 0)
                return true;
        }
    }
    return false;
}

static void write_family(FILE *out, const char *part, const char *name,
                         const struct report_row *rows, unsigned count)
{
    const char *end = is_gauge(name) ? "" : "_total";
    fprintf(out,
            "# HELP parley_%s_%s%s As %s says it (docs/schemas/%s-stats.json).\n"
            "# TYPE parley_%s_%s%s %s\n",
            part, name, end, part, part, part, name, end, is_gauge(name) ? "gauge" : "counter");
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < rows[i].report->count; k++) {
            const struct report_value *value = &rows[i].report->values[k];
            if (strcmp(value->name, name) != 0)
                continue;
            fprintf(out, "parley_%s_%s%s{broker=\"%s\"", part, name, end, rows[i].broker);
            if (value->word[0])
                fprintf(out, ",kind=\"%s\"", value->word);
            fprintf(out, "} %" PRIu64 "\n", value->number);
        }
    }
}

void report_write(FILE *out, const char *part, const struct report_row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < rows[i].report->count; k++) {
            if (!is_written(rows, i, k))
                write_family(out, part, rows[i].report->values[k].name, rows, count);
        }
    }
}
