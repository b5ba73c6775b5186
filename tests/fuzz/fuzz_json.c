/*
 * json_scan against cJSON, on any bytes.
 *
 * What the scan accepts, cJSON reads, whole and as it stands: written out again it passes the scan,
 * and reads back to the same value. What cJSON accepts beyond that is why there is a scan, so it is
 * looked for once more, in other ways: UTF-8 by iconv, NUL and control characters, depth.
 */
#include "fuzz.h"

#include "common/json_scan.h"

#include "common/limits.h"

#include <cjson/cJSON.h>
#include <iconv.h>
#include <math.h>

/* cJSON writes what overflows a double as null. */
static bool is_finite(const cJSON *item)
{
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
        return false;
    const cJSON *child;
    cJSON_ArrayForEach(child, item)
    {
        if (!is_finite(child))
            return false;
    }
    return true;
}

static unsigned depth_of(const cJSON *item)
{
    unsigned deepest = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, item)
    {
        unsigned depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (cJSON_IsArray(item) || cJSON_IsObject(item));
}

static bool is_utf8(const char *text, size_t size)
{
    char in[4096], out[4 * sizeof in];
    char *from = in, *to = out;
    size_t left = size, room = sizeof out;
    if (size > sizeof in)
        return true; /* too long to look at */
    memcpy(in, text, size);
    iconv_t conversion = iconv_open("UTF-32LE", "UTF-8");
    PROMISE(conversion != (iconv_t)-1);
    bool valid = iconv(conversion, &from, &left, &to, &room) != (size_t)-1 && left == 0;
    iconv_close(conversion);
    return valid;
}

/* No control character within a string, none but blanks outside, and no NUL by an escape. */
static bool is_clean(const char *text, size_t size)
{
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && (in_string || !strchr("\t\n\r", c) || c == '\0'))
            return false;
        if (in_string && c == '\\') {
            if (size - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                return false;
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    enum json_fault fault = json_scan(text, size);
    PROMISE(json_fault_text(fault)[0] != '\0');
    if (fault != JSON_FINE)
        return 0;

    cJSON *tree = cJSON_ParseWithLength(text, size);
    PROMISE(tree != NULL);
    PROMISE(is_clean(text, size) && is_utf8(text, size) && depth_of(tree) <= JSON_DEPTH_MAX);
    if (is_finite(tree)) {
        char *printed = cJSON_PrintUnformatted(tree);
        PROMISE(printed != NULL);
        PROMISE(json_scan(printed, strlen(printed)) == JSON_FINE);
        cJSON *again = cJSON_Parse(printed);
        PROMISE(cJSON_Compare(tree, again, true));
        cJSON_Delete(again);
        cJSON_free(printed);
    }
    cJSON_Delete(tree);
    return 0;
}
