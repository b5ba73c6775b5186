#include "token.h"

#include "base64url.h"
#include "fields.h"
#include "json_write.h"
#include "keyring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>

#define ISSUER_TOKEN "parley"
#define ISSUER_SEAT  "parley-seat"

#define MAC_BYTES 32

static bool mac(const struct key *key, const char *text, size_t len,
                unsigned char out[static MAC_BYTES])
{
    unsigned size = MAC_BYTES;
    return HMAC(EVP_sha256(), key->bytes, (int)key->len, (const unsigned char *)text, len, out,
                &size) != NULL;
}

/* ---- JWS compact serialization (RFC 7515, 3.1): header.payload.signature ---- */

/* Signs `payload` with the ring's first key into `out` of `size` bytes, NUL-terminated. */
static enum status sign(const struct keyring *keyring, const char *payload, size_t payload_len,
                        char *out, size_t size)
{
    char header[ROOM_ID_MAX + 64];
    unsigned char signature[MAC_BYTES];
    struct json_out json = json_start(header, sizeof header);
    json_open(&json, NULL, '{');
    json_text(&json, "alg", "HS256");
    json_text(&json, "kid", keyring->keys[0].kid);
    json_text(&json, "typ", "JWT");
    json_close(&json, '}');
    size_t header_len = json_finish(&json);
    if (header_len == 0 || payload_len == 0 ||
        BASE64URL_LENGTH(header_len) + BASE64URL_LENGTH(payload_len) + BASE64URL_LENGTH(MAC_BYTES) +
                3 >
            size)
        return STATUS_INTERNAL;
    size_t at = base64url_encode(header, header_len, out);
    out[at++] = '.';
    at += base64url_encode(payload, payload_len, out + at);
    if (!mac(&keyring->keys[0], out, at, signature))
        return STATUS_INTERNAL;
    out[at++] = '.';
    at += base64url_encode(signature, sizeof signature, out + at);
    out[at] = '\0';
    return STATUS_OK;
}

struct parts {
    const char *header, *payload, *signature;
    size_t header_len, payload_len, signature_len;
};

/* Exactly three parts; a dot in the last one does not decode. */
static bool split(const char *text, size_t len, struct parts *out)
{
    const char *end = text + len;
    const char *first = memchr(text, '.', len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return false;
    *out = (struct parts){text,
                          first + 1,
                          second + 1,
                          (size_t)(first - text),
                          (size_t)(second - first - 1),
                          (size_t)(end - second - 1)};
    return true;
}

/* The key that the header names, or NULL when the header asks for anything but HS256 with one of
 * our keys. */
static const struct key *read_header(const struct keyring *keyring, const struct parts *parts)
{
    char json[TOKEN_MAX], kid[ROOM_ID_MAX + 1], alg[8];
    size_t len;
    struct fields fields;
    if (!base64url_decode(parts->header, parts->header_len, json, sizeof json, &len))
        return NULL;
    cJSON *tree = fields_open((struct payload){json, len}, sizeof json, &fields, NULL);
    field_text(&fields, "alg", alg, sizeof alg - 1, true);
    field_id(&fields, "kid", kid, true, STATUS_UNAUTHORIZED);
    /* Extensions that must be understood are not (RFC 7515, 4.1.11). */
    if (field_find(&fields, "crit", false))
        fields_refuse(&fields, STATUS_UNAUTHORIZED, "crit", "is there");
    cJSON_Delete(tree);
    if (fields.status != STATUS_OK || strcmp(alg, "HS256") != 0)
        return NULL;
    return keyring_find(keyring, kid);
}

static bool signature_is_right(const struct key *key, const char *text, const struct parts *parts)
{
    unsigned char given[MAC_BYTES], own[MAC_BYTES];
    size_t len;
    return base64url_decode(parts->signature, parts->signature_len, given, sizeof given, &len) &&
           len == MAC_BYTES && mac(key, text, parts->header_len + 1 + parts->payload_len, own) &&
           CRYPTO_memcmp(given, own, MAC_BYTES) == 0;
}

/*
 * Checks the signature, then opens the claims for reading: `out->status` is STATUS_OK when the
 * issuer is `issuer` and nothing in the claims limits them to others or to later (`aud`, `nbf`: RFC
 * 7519 bids a reader heed them, and no token of ours has them). Returns the tree to delete, or
 * NULL.
 */
static cJSON *open_claims(const struct keyring *keyring, const char *text, size_t len,
                          const char *issuer, struct fields *out)
{
    char json[TOKEN_MAX], found[sizeof ISSUER_SEAT];
    struct parts parts;
    size_t json_len;
    *out = (struct fields){NULL, STATUS_UNAUTHORIZED, NULL};
    if (len > TOKEN_MAX || !split(text, len, &parts))
        return NULL;
    const struct key *key = read_header(keyring, &parts);
    if (!key || !signature_is_right(key, text, &parts) ||
        !base64url_decode(parts.payload, parts.payload_len, json, sizeof json, &json_len))
        return NULL;
    cJSON *tree = fields_open((struct payload){json, json_len}, sizeof json, out, NULL);
    field_text(out, "iss", found, sizeof found - 1, true);
    if (field_find(out, "aud", false) || field_find(out, "nbf", false) ||
        (out->status == STATUS_OK && strcmp(found, issuer) != 0))
        fields_refuse(out, STATUS_UNAUTHORIZED, "", "");
    return tree;
}

/* ---- access tokens ---- */

/* The role is the id's; a peer, and nobody else, has a room; time goes forward. */
static bool claims_hold(const struct token_claims *claims)
{
    bool has_room = claims->room[0] != '\0';
    return claims->role != ROLE_NONE &&
           peer_id_role(claims->peer_id, strnlen(claims->peer_id, sizeof claims->peer_id)) ==
               claims->role &&
           has_room == (claims->role == ROLE_PEER) &&
           (!has_room || id_is_valid(claims->room, strnlen(claims->room, sizeof claims->room))) &&
           claims->issued_at >= 0 && claims->expires_at > claims->issued_at &&
           claims->expires_at <= (int64_t)FIELD_COUNT_MAX;
}

enum status token_sign(const struct keyring *keyring, const struct token_claims *claims,
                       char out[static TOKEN_MAX + 1])
{
    char payload[TOKEN_MAX];
    out[0] = '\0';
    if (!claims_hold(claims))
        return STATUS_BAD_REQUEST;
    struct json_out json = json_start(payload, sizeof payload);
    json_open(&json, NULL, '{');
    json_text(&json, "iss", ISSUER_TOKEN);
    json_text(&json, "sub", claims->peer_id);
    json_text(&json, "role", role_name(claims->role));
    if (claims->room[0])
        json_text(&json, "room", claims->room);
    json_count(&json, "iat", (uint64_t)claims->issued_at);
    json_count(&json, "exp", (uint64_t)claims->expires_at);
    json_close(&json, '}');
    return sign(keyring, payload, json_finish(&json), out, TOKEN_MAX + 1);
}

enum status token_verify(const struct keyring *keyring, const char *text, size_t len, int64_t now,
                         struct token_claims *out)
{
    struct token_claims claims = {0};
    struct fields fields;
    char role[16];
    uint64_t issued_at, expires_at;
    cJSON *tree = open_claims(keyring, text, len, ISSUER_TOKEN, &fields);
    field_id(&fields, "sub", claims.peer_id, true, STATUS_UNAUTHORIZED);
    field_text(&fields, "role", role, sizeof role - 1, true);
    field_id(&fields, "room", claims.room, false, STATUS_UNAUTHORIZED);
    field_count(&fields, "iat", &issued_at, FIELD_COUNT_MAX);
    field_count(&fields, "exp", &expires_at, FIELD_COUNT_MAX);
    cJSON_Delete(tree);
    claims.role = role_from_name(role);
    claims.issued_at = (int64_t)issued_at;
    claims.expires_at = (int64_t)expires_at;
    if (fields.status != STATUS_OK || !claims_hold(&claims))
        return STATUS_UNAUTHORIZED;
    *out = claims;
    return now < claims.expires_at ? STATUS_OK : STATUS_TOKEN_EXPIRED;
}

/* ---- seats ---- */

enum status seat_sign(const struct keyring *keyring, const struct seat_claims *claims,
                      char out[static SEAT_MAX + 1])
{
    char payload[SEAT_MAX];
    out[0] = '\0';
    if (!id_is_valid(claims->peer_id, strnlen(claims->peer_id, sizeof claims->peer_id)) ||
        !id_is_valid(claims->session, strnlen(claims->session, sizeof claims->session)) ||
        !id_is_valid(claims->room, strnlen(claims->room, sizeof claims->room)) ||
        claims->rev > FIELD_COUNT_MAX || claims->issued_at < 0 ||
        claims->issued_at > (int64_t)FIELD_COUNT_MAX)
        return STATUS_BAD_REQUEST;
    struct json_out json = json_start(payload, sizeof payload);
    json_open(&json, NULL, '{');
    json_text(&json, "iss", ISSUER_SEAT);
    json_text(&json, "sub", claims->peer_id);
    json_text(&json, "session", claims->session);
    json_text(&json, "room", claims->room);
    json_count(&json, "rev", claims->rev);
    json_count(&json, "iat", (uint64_t)claims->issued_at);
    json_close(&json, '}');
    return sign(keyring, payload, json_finish(&json), out, SEAT_MAX + 1);
}

enum status seat_verify(const struct keyring *keyring, const char *text, size_t len,
                        struct seat_claims *out)
{
    struct seat_claims claims = {0};
    struct fields fields;
    uint64_t issued_at;
    cJSON *tree = open_claims(keyring, text, len, ISSUER_SEAT, &fields);
    field_id(&fields, "sub", claims.peer_id, true, STATUS_UNAUTHORIZED);
    field_id(&fields, "session", claims.session, true, STATUS_UNAUTHORIZED);
    field_id(&fields, "room", claims.room, true, STATUS_UNAUTHORIZED);
    field_count(&fields, "rev", &claims.rev, FIELD_COUNT_MAX);
    field_count(&fields, "iat", &issued_at, FIELD_COUNT_MAX);
    cJSON_Delete(tree);
    if (fields.status != STATUS_OK)
        return STATUS_UNAUTHORIZED;
    claims.issued_at = (int64_t)issued_at;
    *out = claims;
    return STATUS_OK;
}
