#include "status.h"

static const struct {
    const char *id;
    int http;
    const char *detail;
} rows[STATUS_COUNT] = {
#define STATUS_ROW(symbol, id, http, sentence) [symbol] = {id, http, sentence},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

/* A value out of the enum is a defect of ours, and said to be one. */
static enum status known(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? status : STATUS_INTERNAL;
}

const char *status_id(enum status status)
{
    return rows[known(status)].id;
}

const char *status_detail(enum status status)
{
    return rows[known(status)].detail;
}

int status_http(enum status status)
{
    return rows[known(status)].http;
}
