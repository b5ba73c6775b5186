#include "ice.h"

#include "common/config.h"
#include "common/file_text.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum status turn_secret_load(const char *path, struct turn_secret *out, char *why, size_t why_size)
{
    struct file_text text;
    if (file_text_read(path, FILE_TEXT_SECRET, TURN_SECRET_MAX + 2, &text, why, why_size) !=
        STATUS_OK)
        return STATUS_INTERNAL;
    size_t len = text.len;
    while (len > 0 && (text.bytes[len - 1] == '\n' || text.bytes[len - 1] == '\r'))
        len--;
    bool fits = len > 0 && len <= TURN_SECRET_MAX;
    if (fits) {
        *out = (struct turn_secret){.len = len};
        memcpy(out->text, text.bytes, len);
    } else {
        snprintf(why, why_size, "%s: a secret has 1 to %d bytes", path, TURN_SECRET_MAX);
    }
    file_text_clear(&text);
    return fits ? STATUS_OK : STATUS_INTERNAL;
}

void ice_credentials(const struct turn_secret *secret, int64_t expires_at, const char *peer_id,
                     char username[static TURN_USERNAME_MAX + 1],
                     char credential[static TURN_CREDENTIAL_MAX + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    int len = snprintf(username, TURN_USERNAME_MAX + 1, "%" PRId64 ":%s", expires_at, peer_id);
    HMAC(EVP_sha1(), secret->text, (int)secret->len, (const unsigned char *)username, (size_t)len,
         digest, &digest_len);
    EVP_EncodeBlock((unsigned char *)credential, digest, (int)digest_len);
}

static bool is_turn(const char *url)
{
    return strncmp(url, "turn", 4) == 0;
}

/* Cuts the next word of `*rest` into `url`; false at the end. */
static bool next_url(const char **rest, char url[static CONFIG_TEXT_MAX + 1])
{
    *rest += strspn(*rest, " ");
    size_t len = strcspn(*rest, " ");
    if (len == 0 || len > CONFIG_TEXT_MAX)
        return false;
    memcpy(url, *rest, len);
    url[len] = '\0';
    *rest += len;
    return true;
}

static bool has_kind(const char *urls, bool turn)
{
    char url[CONFIG_TEXT_MAX + 1];
    while (next_url(&urls, url)) {
        if (is_turn(url) == turn)
            return true;
    }
    return false;
}

bool ice_needs_secret(const char *urls)
{
    return has_kind(urls, true);
}

static void write_urls(struct json_out *out, const char *urls, bool turn)
{
    char url[CONFIG_TEXT_MAX + 1];
    json_open(out, "urls", '[');
    while (next_url(&urls, url)) {
        if (is_turn(url) == turn)
            json_text(out, NULL, url);
    }
    json_close(out, ']');
}

void ice_write(struct json_out *out, const char *urls, const struct turn_secret *secret,
               int64_t expires_at, const char *peer_id)
{
    char username[TURN_USERNAME_MAX + 1];
    char credential[TURN_CREDENTIAL_MAX + 1];
    json_open(out, "ice_servers", '[');
    if (has_kind(urls, false)) {
        json_open(out, NULL, '{');
        write_urls(out, urls, false);
        json_close(out, '}');
    }
    if (has_kind(urls, true)) {
        ice_credentials(secret, expires_at, peer_id, username, credential);
        json_open(out, NULL, '{');
        write_urls(out, urls, true);
        json_text(out, "username", username);
        json_text(out, "credential", credential);
        json_close(out, '}');
    }
    json_close(out, ']');
}
