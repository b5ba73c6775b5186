#include "fields.h"

#include "json_scan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void say(struct msg_fault *fault, const char *name, const char *what)
{
    if (fault)
        snprintf(fault->why, sizeof fault->why, "%s%s%s", name, *name ? ": " : "", what);
}

cJSON *fields_open(struct payload in, size_t max, struct fields *out, struct msg_fault *fault)
{
    *out = (struct fields){NULL, STATUS_OK, fault};
    say(fault, "", "");
    if (in.len > max) {
        fields_refuse(out, STATUS_TOO_LARGE, "", "The message is too large.");
        return NULL;
    }
    enum json_fault json = json_scan(in.text, in.len);
    if (json) {
        fields_refuse(out, STATUS_BAD_REQUEST, "", json_fault_text(json));
        return NULL;
    }
    cJSON *tree = cJSON_ParseWithLength(in.text, in.len);
    if (!cJSON_IsObject(tree)) {
        fields_refuse(out, STATUS_BAD_REQUEST, "", "It is not a JSON object.");
        cJSON_Delete(tree);
        return NULL;
    }
    out->object = tree;
    return tree;
}

struct fields fields_within(const struct fields *fields, const cJSON *object)
{
    struct fields inner = {object, fields->status, fields->fault};
    if (!cJSON_IsObject(object))
        fields_refuse(&inner, STATUS_BAD_REQUEST, "", "An object is missing.");
    return inner;
}

void fields_refuse(struct fields *fields, enum status status, const char *name, const char *what)
{
    if (fields->status != STATUS_OK)
        return;
    fields->status = status;
    say(fields->fault, name, what);
}

const cJSON *field_find(struct fields *fields, const char *name, bool required)
{
    if (fields->status != STATUS_OK)
        return NULL;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(fields->object, name);
    if (!item && required)
        fields_refuse(fields, STATUS_BAD_REQUEST, name, "is missing");
    return item;
}

/* The string called `name`, or NULL when it is absent or a fault was noted. */
static const char *find_text(struct fields *fields, const char *name, bool required)
{
    const cJSON *item = field_find(fields, name, required);
    if (!item)
        return NULL;
    if (!cJSON_IsString(item)) {
        fields_refuse(fields, STATUS_BAD_REQUEST, name, "is not a string");
        return NULL;
    }
    return item->valuestring;
}

void field_text(struct fields *fields, const char *name, char *out, size_t max, bool required)
{
    out[0] = '\0';
    const char *text = find_text(fields, name, required);
    if (!text)
        return;
    size_t len = strlen(text);
    if (len > max)
        fields_refuse(fields, STATUS_BAD_REQUEST, name, "is too long");
    else
        memcpy(out, text, len + 1);
}

void field_id(struct fields *fields, const char *name, char out[static ROOM_ID_MAX + 1],
              bool required, enum status status)
{
    out[0] = '\0';
    const char *text = find_text(fields, name, required);
    if (!text)
        return;
    size_t len = strlen(text);
    if (!id_is_valid(text, len))
        fields_refuse(fields, status, name, "is not 1 to 64 characters of A-Z a-z 0-9 - and _");
    else
        memcpy(out, text, len + 1);
}

void field_peer_name(struct fields *fields, const char *name, char out[static PEER_NAME_MAX + 1],
                     bool required)
{
    out[0] = '\0';
    const char *text = find_text(fields, name, required);
    if (text && peer_name_clean(text, strlen(text), out) != STATUS_OK)
        fields_refuse(fields, STATUS_BAD_PEER_NAME, name,
                      "is not 1 to 64 characters without control characters");
}

void field_count(struct fields *fields, const char *name, uint64_t *out, uint64_t max)
{
    *out = 0;
    const cJSON *item = field_find(fields, name, true);
    if (!item)
        return;
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0) || value > (double)max || value > (double)FIELD_COUNT_MAX ||
        value != floor(value))
        fields_refuse(fields, STATUS_BAD_REQUEST, name, "is not a whole number in range");
    else
        *out = (uint64_t)value;
}

void field_flag(struct fields *fields, const char *name, bool *out, bool required)
{
    const cJSON *item = field_find(fields, name, required);
    *out = cJSON_IsTrue(item);
    if (item && !cJSON_IsBool(item))
        fields_refuse(fields, STATUS_BAD_REQUEST, name, "is not true or false");
}

void field_word(struct fields *fields, const char *name, const char *const *words, size_t count,
                unsigned *out)
{
    *out = 0;
    const char *text = find_text(fields, name, true);
    if (!text)
        return;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = (unsigned)i;
            return;
        }
    }
    fields_refuse(fields, STATUS_BAD_REQUEST, name, "is none of the words it may be");
}
