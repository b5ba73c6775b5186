/*
 * utf8: one code point at a time, strictly by RFC 3629 (no overlong forms, no surrogates, nothing above U+10FFFF).
 */
#ifndef PARLEY_UTF8_H
#define PARLEY_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads the code point at the start of the `len` bytes at `text` into `out`.
 * Returns its length in bytes, 1 to 4, or 0 when there is none or it is not valid; `out` is not touched then.
 */
size_t utf8_read(const char *text, size_t len, uint32_t *out);

#endif
