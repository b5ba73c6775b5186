/*
 * vectors: a file of tests/vectors as a cJSON tree, for the tests that share their cases with the
 * page's JavaScript.
 */
#ifndef PARLEY_TESTS_VECTORS_H
#define PARLEY_TESTS_VECTORS_H

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tree of VECTORS_DIR/name, to be freed with cJSON_Delete. Ends the test program when it cannot
 * be read. */
static inline cJSON *vectors_load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", VECTORS_DIR, name);
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 1 << 20);
    if (!file || !text) {
        perror(path);
        abort();
    }
    size_t len = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    cJSON *tree = cJSON_ParseWithLength(text, len);
    free(text);
    if (!tree) {
        fprintf(stderr, "%s: not JSON\n", path);
        abort();
    }
    return tree;
}

/* The string member `name`, or NULL when it is null or absent. */
static inline const char *vector_text(const cJSON *vector, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(vector, name));
}

#endif
