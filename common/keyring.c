#include "keyring.h"

#include "base64url.h"
#include "file_text.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (16 * 1024)

const struct key *keyring_find(const struct keyring *keyring, const char *kid)
{
    for (unsigned i = 0; i < keyring->count; i++) {
        if (strcmp(keyring->keys[i].kid, kid) == 0)
            return &keyring->keys[i];
    }
    return NULL;
}

/* Takes the line "kid base64url" of `len` characters into `out`. NULL, or what is wrong with it. */
static const char *parse_key(const char *line, size_t len, struct key *out)
{
    const char *blank = memchr(line, ' ', len);
    size_t kid_len = blank ? (size_t)(blank - line) : len;
    if (!blank || !id_is_valid(line, kid_len))
        return "is not `kid key`, the kid of A-Z a-z 0-9 - _";
    memcpy(out->kid, line, kid_len);
    out->kid[kid_len] = '\0';
    const char *key = blank + strspn(blank, " ");
    if (!base64url_decode(key, (size_t)(line + len - key), out->bytes, sizeof out->bytes,
                          &out->len) ||
        out->len < KEY_BYTES_MIN)
        return "holds a key that is not 32 to 128 bytes in base64url without padding";
    return NULL;
}

static const char *add_line(struct keyring *keyring, const char *line, size_t len)
{
    static const char blanks[] = " \t\r";
    while (len > 0 && memchr(blanks, line[len - 1], sizeof blanks - 1))
        len--;
    while (len > 0 && memchr(blanks, line[0], sizeof blanks - 1))
        line++, len--;
    if (len == 0 || line[0] == '#')
        return NULL;
    if (keyring->count == KEYS_MAX)
        return "is one key too many";
    struct key *key = &keyring->keys[keyring->count];
    const char *fault = parse_key(line, len, key);
    if (!fault && keyring_find(keyring, key->kid))
        fault = "has the kid of another";
    if (!fault)
        keyring->count++;
    return fault;
}

/* `text` is NUL-terminated. */
static bool add_lines(struct keyring *keyring, const char *path, const char *text, char *why,
                      size_t why_size)
{
    unsigned number = 1;
    for (const char *line = text; *line; number++) {
        size_t len = strcspn(line, "\n");
        const char *fault = add_line(keyring, line, len);
        if (fault) {
            snprintf(why, why_size, "%s:%u: this line %s", path, number, fault);
            return false;
        }
        line += len + (line[len] == '\n');
    }
    if (keyring->count == 0) {
        snprintf(why, why_size, "%s: holds no key", path);
        return false;
    }
    return true;
}

enum status keyring_load(const char *path, struct keyring **out, char *why, size_t why_size)
{
    enum status status = STATUS_INTERNAL;
    struct file_text text;
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (file_text_read(path, FILE_TEXT_SECRET, FILE_BYTES_MAX, &text, why, why_size) != STATUS_OK)
        goto cleanup;
    if (!keyring || strlen(text.bytes) != text.len) {
        snprintf(why, why_size, "%s: cannot be read", path);
        goto cleanup;
    }
    if (!add_lines(keyring, path, text.bytes, why, why_size))
        goto cleanup;
    *out = keyring;
    keyring = NULL;
    status = STATUS_OK;
cleanup:
    keyring_free(keyring);
    file_text_clear(&text);
    return status;
}

void keyring_free(struct keyring *keyring)
{
    if (keyring)
        OPENSSL_cleanse(keyring, sizeof *keyring);
    free(keyring);
}

void key_line_generate(char out[static KEY_LINE_MAX + 1])
{
    unsigned char key[KEY_BYTES_MIN];
    char kid[REQUEST_ID_MAX + 1];
    _Static_assert(REQUEST_ID_MAX + 1 + BASE64URL_LENGTH(KEY_BYTES_MIN) <= KEY_LINE_MAX, "fits");
    random_id_generate(kid);
    random_bytes(key, sizeof key);
    size_t at = (size_t)snprintf(out, KEY_LINE_MAX + 1, "%.8s ", kid);
    at += base64url_encode(key, sizeof key, out + at);
    out[at] = '\0';
    OPENSSL_cleanse(key, sizeof key);
}
