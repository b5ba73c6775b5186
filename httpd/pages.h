/*
 * pages: the built web page, in memory.
 *
 * Every file below the web root is read once at the start, compressed ahead, and tagged by a hash
 * of its content; a request costs a lookup and no disk. Only files of known types are taken, so
 * that nothing left there by accident is published.
 */
#ifndef PARLEY_HTTPD_PAGES_H
#define PARLEY_HTTPD_PAGES_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

#define PAGES_FILES_MAX  512
#define PAGES_FILE_BYTES (16 * 1024 * 1024)
#define PAGES_DEPTH_MAX  8

/* One form of a file's content. `etag` is quoted, as it stands in the header; strong, so each form
 * has its own (RFC 9110, 8.8.3). */
struct page_form {
    const char *data;
    size_t len;
    char etag[2 + 32 + 3 + 1];
};

struct page {
    const char *path; /* "/js/app.js" */
    const char *type; /* the Content-Type */
    bool immutable;   /* its name holds a hash of its content */
    struct page_form plain;
    struct page_form gzip; /* data NULL when it would not be smaller */
};

struct pages;

/*
 * Reads everything below the folder `root`. On success `*out` is the caller's, to be freed by
 * pages_free. STATUS_INTERNAL, with a sentence in `why`, when it cannot be read or is more than the
 * limits above allow.
 */
enum status pages_load(const char *root, struct pages **out, char *why, size_t why_size);

void pages_free(struct pages *pages);

/* The file at `path` (with its leading slash), or NULL. */
const struct page *pages_find(const struct pages *pages, const char *path);

/* The form to send to a client that takes gzip or not. */
const struct page_form *page_choose(const struct page *page, bool accepts_gzip);

/* The Content-Type for a file called `name`, or NULL for one that is not published. */
const char *pages_type_of(const char *name);

/* Does `name` hold a hash: eight or more hexadecimal or upper-case base32 characters, a digit among
 * them, between `-` or `.` and the extension? */
bool pages_name_is_hashed(const char *name);

#endif
