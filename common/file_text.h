/*
 * file_text: a small file read whole, and wiped from memory when it is done with.
 *
 * A file that holds a secret has to be nobody else's: one that others may read or write is refused.
 */
#ifndef PARLEY_FILE_TEXT_H
#define PARLEY_FILE_TEXT_H

#include "status.h"

#include <stddef.h>

enum file_text_kind { FILE_TEXT_PUBLIC, FILE_TEXT_SECRET };

struct file_text {
    char *bytes; /* NUL-terminated; a NUL among them is no end */
    size_t len;
};

/*
 * Reads the ordinary file at `path`, `max` bytes at most. STATUS_INTERNAL, with a sentence in
 * `why`, when it cannot be read, is larger, or is a secret that others may read or write; `out` is
 * empty then. Freed by file_text_clear.
 */
enum status file_text_read(const char *path, enum file_text_kind kind, size_t max,
                           struct file_text *out, char *why, size_t why_size);

/* Wipes and frees; an empty one is fine. */
void file_text_clear(struct file_text *text);

#endif
