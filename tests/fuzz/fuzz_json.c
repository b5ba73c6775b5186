/*
 * json_scan against cJSON, on any bytes.
 *
 * What the scan accepts, cJSON reads, whole and as it stands: written out again it passes the scan,
 * and reads back to the same value. (What cJSON accepts beyond that is why there is a scan.)
 */
#include "fuzz.h"

#include "common/json_scan.h"

#include <cjson/cJSON.h>
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    enum json_fault fault = json_scan(text, size);
    PROMISE(json_fault_text(fault)[0] != '\0');
    if (fault != JSON_FINE)
        return 0;

    cJSON *tree = cJSON_ParseWithLength(text, size);
    PROMISE(tree != NULL);
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
