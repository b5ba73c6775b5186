#include "intact.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* Where the line before ends, and whether all was well up to there. */
struct walk {
    const char *end;
    bool fine;
};

/* A token (RFC 9110, 5.6.2). */
static bool is_token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr("!#$%&'*+-.^_`|~", *text))
            return false;
    }
    return true;
}

/* Is there nothing but a line's end, or `lines` of them, between the NUL at `end` and `next`? (A CR
 * before the LF is up to the sender: RFC 9112, 2.2.) */
static bool follows(const char *end, const char *next, unsigned lines)
{
    uintptr_t gap = (uintptr_t)next - (uintptr_t)end;
    return gap >= lines && gap <= 2 * lines;
}

static enum MHD_Result visit(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct walk *walk = ctx;
    (void)kind;
    walk->fine = walk->fine && value && is_token(key) && follows(walk->end, key, 1);
    if (walk->fine)
        walk->end = value + strlen(value);
    return walk->fine ? MHD_YES : MHD_NO;
}

bool intact_fields(struct MHD_Connection *connection, const char *method, const char *version)
{
    struct walk walk = {version + strlen(version), true};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, visit, &walk);
    return walk.fine && info && follows(walk.end, method + info->header_size, 2);
}
