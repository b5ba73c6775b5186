/*
 * json_scan: the check that every JSON text from outside passes before cJSON sees it.
 *
 * cJSON accepts more than RFC 8259 and cuts strings at NUL; this scan rejects what cJSON would read otherwise than
 * a strict reader (docs/protocol.md, rule 10). It allocates nothing and is linear but for duplicate keys, which are
 * compared pairwise within an object of at most JSON_MEMBERS_MAX members.
 */
#ifndef PARLEY_JSON_SCAN_H
#define PARLEY_JSON_SCAN_H

#include <stddef.h>

enum json_fault {
    JSON_FINE,
    JSON_SYNTAX,        /* not RFC 8259, or text after the value */
    JSON_DEPTH,         /* nested deeper than JSON_DEPTH_MAX */
    JSON_UTF8,          /* invalid UTF-8 (RFC 3629), or an escaped lone surrogate */
    JSON_NUL,           /* a NUL, raw or escaped */
    JSON_DUPLICATE_KEY, /* the same key twice in one object, escapes resolved */
    JSON_MEMBERS,       /* more than JSON_MEMBERS_MAX members in one object */
};

/* Checks that the `len` bytes at `text` are exactly one acceptable JSON value. */
enum json_fault json_scan(const char *text, size_t len);

/* A sentence about `fault`. Never NULL. */
const char *json_fault_text(enum json_fault fault);

#endif
