/*
 * base64url: RFC 4648, section 5, without padding, as JSON Web Tokens use it (RFC 7515, section 2).
 * Strict: what decodes encodes back to the same text.
 */
#ifndef PARLEY_BASE64URL_H
#define PARLEY_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/* The length of `len` bytes when encoded, without a NUL. */
#define BASE64URL_LENGTH(len) (((len)*4 + 2) / 3)

/* Writes BASE64URL_LENGTH(len) characters to `out`, no NUL. Returns that length. */
size_t base64url_encode(const void *data, size_t len, char *out);

/*
 * Decodes `len` characters into `out` of `size` bytes; the count of bytes goes to `out_len`. False
 * for another alphabet, padding, an impossible length, bits left over that are not zero, or more
 * bytes than `size`.
 */
bool base64url_decode(const char *text, size_t len, void *out, size_t size, size_t *out_len);

#endif
