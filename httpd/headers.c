#include "headers.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* Cuts the next element of a comma-separated list, trimmed, from `*rest`; NULL at the end. */
static const char *next_element(const char **rest, size_t *len)
{
    while (**rest) {
        const char *start = *rest + strspn(*rest, BLANKS ",");
        size_t span = strcspn(start, ",");
        *rest = start + span;
        while (span > 0 && strchr(BLANKS, start[span - 1]))
            span--;
        if (span > 0) {
            *len = span;
            return start;
        }
    }
    return NULL;
}

static bool span_equals(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

/* Is the weight in `params` (";q=0.5", or nothing) above zero? A weight is `0` or `1` with up to
 * three digits (12.4.2). */
static bool weight_is_positive(const char *params, size_t len)
{
    if (len == 0)
        return true;
    size_t i = 1 + strspn(params + 1, BLANKS);
    if (params[0] != ';' || len < i + 3 || (params[i] != 'q' && params[i] != 'Q') ||
        params[i + 1] != '=')
        return false;
    for (i += 2; i < len; i++) {
        if (params[i] >= '1' && params[i] <= '9')
            return true;
    }
    return false;
}

bool header_accepts_gzip(const char *accept_encoding)
{
    bool any = false;
    const char *element;
    size_t len;
    if (!accept_encoding)
        return false;
    while ((element = next_element(&accept_encoding, &len))) {
        size_t name = strcspn(element, BLANKS ";,");
        size_t params = name < len ? name + strspn(element + name, BLANKS) : len;
        bool admitted = weight_is_positive(element + params, len - params);
        /* The coding's own weight beats that of the star, whatever their order. */
        if (span_equals(element, name, "gzip") || span_equals(element, name, "x-gzip"))
            return admitted;
        if (span_equals(element, name, "*"))
            any = admitted;
    }
    return any;
}

bool header_etag_matches(const char *if_none_match, const char *etag)
{
    const char *element;
    size_t len;
    if (!if_none_match)
        return false;
    while ((element = next_element(&if_none_match, &len))) {
        if (len == 1 && *element == '*')
            return true;
        if (len > 2 && strncmp(element, "W/", 2) == 0) {
            element += 2;
            len -= 2;
        }
        if (len == strlen(etag) && memcmp(element, etag, len) == 0)
            return true;
    }
    return false;
}

bool header_is_json(const char *content_type)
{
    if (!content_type)
        return false;
    content_type += strspn(content_type, BLANKS);
    size_t name = strcspn(content_type, BLANKS ";");
    char after = content_type[name + strspn(content_type + name, BLANKS)];
    return span_equals(content_type, name, "application/json") && (after == '\0' || after == ';');
}

const char *header_bearer(const char *authorization, size_t *len)
{
    static const char scheme[] = "Bearer";
    const size_t scheme_len = sizeof scheme - 1;
    if (!authorization || strncasecmp(authorization, scheme, scheme_len) != 0 ||
        authorization[scheme_len] != ' ')
        return NULL;
    authorization += scheme_len + strspn(authorization + scheme_len, " ");
    *len = strcspn(authorization, BLANKS);
    return *len > 0 && authorization[*len] == '\0' ? authorization : NULL;
}
