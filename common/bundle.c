#include "bundle.h"

#include <string.h>

#define ROOT_LEN (sizeof TOPIC_ROOT - 1)

enum status bundle_add(struct bundle *bundle, const struct topic *topic, const char *payload,
                       size_t len)
{
    char name[TOPIC_MAX + 1];
    if (!topic_format(topic, name) || memchr(payload, '\n', len))
        return STATUS_BAD_REQUEST;
    size_t name_len = strlen(name) - ROOT_LEN;
    if (name_len + 1 + len + 1 > sizeof bundle->text - bundle->len)
        return STATUS_TOO_LARGE;
    char *at = bundle->text + bundle->len;
    memcpy(at, name + ROOT_LEN, name_len);
    at[name_len] = ' ';
    memcpy(at + name_len + 1, payload, len);
    at[name_len + 1 + len] = '\n';
    bundle->len += name_len + 1 + len + 1;
    return STATUS_OK;
}

bool bundle_next(struct payload *rest, struct topic *topic, struct payload *payload)
{
    char name[TOPIC_MAX + 1] = TOPIC_ROOT;
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->text, '\n', rest->len);
    const char *blank = end ? memchr(rest->text, ' ', (size_t)(end - rest->text)) : NULL;
    size_t name_len = blank ? (size_t)(blank - rest->text) : 0;
    if (!blank || ROOT_LEN + name_len > TOPIC_MAX)
        return false;
    memcpy(name + ROOT_LEN, rest->text, name_len);
    if (!topic_parse(name, ROOT_LEN + name_len, topic))
        return false;
    *payload = (struct payload){blank + 1, (size_t)(end - blank - 1)};
    rest->len -= (size_t)(end + 1 - rest->text);
    rest->text = end + 1;
    return true;
}
