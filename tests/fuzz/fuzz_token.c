/*
 * Tokens, seats and key files on any bytes; the first byte picks what is done with the rest.
 *
 * Nothing verifies that was not signed with a key of the ring: whoever passes is signed once more
 * here, by OpenSSL directly, and compared. What is signed verifies to the same claims, until its
 * time is up and with no byte changed; a token is no seat and a seat no token.
 */
#include "fuzz.h"

#include "common/base64url.h"
#include "common/keyring.h"
#include "common/token.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(2000000000)

/* The seeds hold tokens by these keys: they are no secret of anybody's. */
static const char our_keys[] = "new AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                               "old BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA\n";
static const char their_keys[] = "new CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA\n";

static struct keyring *ours, *theirs;

/* Loads a key file that holds `text`; NULL when it is refused. */
static struct keyring *load(const char *text, size_t len)
{
    struct keyring *keyring = NULL;
    char path[64], why[256] = "";
    int file = memfd_create("keys", MFD_CLOEXEC);
    PROMISE(file >= 0 && fchmod(file, 0600) == 0 && write(file, text, len) == (ssize_t)len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    enum status status = keyring_load(path, &keyring, why, sizeof why);
    PROMISE(status == STATUS_OK ? keyring != NULL : keyring == NULL && why[0] != '\0');
    close(file);
    return keyring;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    ours = load(our_keys, sizeof our_keys - 1);
    theirs = load(their_keys, sizeof their_keys - 1);
    PROMISE(ours && theirs);
    return 0;
}

/* ---- JWS by hand ---- */

/* Appends the signature of `text` (`len` bytes) by `key`, after a dot; `text` has the room. */
static size_t sign_by_hand(const struct key *key, char *text, size_t len)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    PROMISE(HMAC(EVP_sha256(), key->bytes, (int)key->len, (const unsigned char *)text, len, mac,
                 &mac_len) != NULL);
    text[len++] = '.';
    len += base64url_encode(mac, mac_len, text + len);
    text[len] = '\0';
    return len;
}

/* The text of the JSON member `name` in part `index` of a token that verified, into `out`. */
static void read_member(const char *token, size_t len, int index, const char *name, char *out,
                        size_t size)
{
    char json[TOKEN_MAX];
    size_t json_len;
    const char *end = token + len;
    for (; index > 0; index--)
        token = (const char *)memchr(token, '.', (size_t)(end - token)) + 1;
    const char *dot = memchr(token, '.', (size_t)(end - token));
    PROMISE(base64url_decode(token, (size_t)(dot - token), json, sizeof json, &json_len));
    cJSON *tree = cJSON_ParseWithLength(json, json_len);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(tree, name);
    PROMISE(cJSON_IsString(member));
    snprintf(out, size, "%s", member->valuestring);
    cJSON_Delete(tree);
}

/* A token or seat that `keyring` took is one that its key signs, and names itself as it should. */
static void check_genuine(const struct keyring *keyring, const char *token, size_t len,
                          const char *issuer)
{
    char word[TOKEN_MAX + 1], copy[2 * TOKEN_MAX];
    PROMISE(len <= TOKEN_MAX && memchr(token, '\0', len) == NULL);
    read_member(token, len, 0, "alg", word, sizeof word);
    PROMISE(strcmp(word, "HS256") == 0);
    read_member(token, len, 1, "iss", word, sizeof word);
    PROMISE(strcmp(word, issuer) == 0);
    read_member(token, len, 0, "kid", word, sizeof word);
    const struct key *key = keyring_find(keyring, word);
    PROMISE(key != NULL);
    size_t signed_len = len;
    while (token[signed_len - 1] != '.')
        signed_len--;
    memcpy(copy, token, signed_len - 1);
    PROMISE(sign_by_hand(key, copy, signed_len - 1) == len && memcmp(copy, token, len) == 0);
}

static bool is_id(const char *id)
{
    return id_is_valid(id, strlen(id));
}

/* Promises about any text and any ring. */
static void check_any(const struct keyring *keyring, const char *text, size_t len)
{
    struct token_claims claims;
    struct seat_claims seat;
    enum status status = token_verify(keyring, text, len, NOW, &claims);
    PROMISE(status == STATUS_OK || status == STATUS_TOKEN_EXPIRED || status == STATUS_UNAUTHORIZED);
    if (status != STATUS_UNAUTHORIZED) {
        check_genuine(keyring, text, len, "parley");
        PROMISE((status == STATUS_OK) == (NOW < claims.expires_at));
        PROMISE(claims.role != ROLE_NONE);
        PROMISE(peer_id_role(claims.peer_id, strlen(claims.peer_id)) == claims.role);
        PROMISE(claims.role == ROLE_PEER ? is_id(claims.room) : claims.room[0] == '\0');
        PROMISE(claims.issued_at >= 0 && claims.issued_at < claims.expires_at);
    }
    enum status seat_status = seat_verify(keyring, text, len, &seat);
    PROMISE(seat_status == STATUS_OK || seat_status == STATUS_UNAUTHORIZED);
    if (seat_status == STATUS_OK) {
        PROMISE(status == STATUS_UNAUTHORIZED);
        check_genuine(keyring, text, len, "parley-seat");
        PROMISE(is_id(seat.peer_id) && is_id(seat.session) && is_id(seat.room));
    }
}

/* The same about what `ours` has signed: to another ring it is nothing. */
static void check_ours(const char *text, size_t len)
{
    struct token_claims claims;
    struct seat_claims seat;
    check_any(ours, text, len);
    PROMISE(token_verify(theirs, text, len, NOW, &claims) == STATUS_UNAUTHORIZED);
    PROMISE(seat_verify(theirs, text, len, &seat) == STATUS_UNAUTHORIZED);
}

/* ---- what is done with an input ---- */

static void try_text(struct input *in)
{
    check_any(ours, (const char *)in->at, in->left);
    check_any(theirs, (const char *)in->at, in->left);
}

/* A header and claims of any form, but rightly signed: what a stolen key could say at most. */
static void try_signed(struct input *in)
{
    char *header = input_line(in), *claims = input_line(in);
    size_t header_len = strlen(header), claims_len = strlen(claims);
    char *text = malloc(BASE64URL_LENGTH(header_len) + BASE64URL_LENGTH(claims_len) + 64);
    PROMISE(text != NULL);
    size_t len = base64url_encode(header, header_len, text);
    text[len++] = '.';
    len += base64url_encode(claims, claims_len, text + len);
    len = sign_by_hand(&ours->keys[header_len % 2], text, len);
    check_ours(text, len);
    free(text);
    free(header);
    free(claims);
}

/* No byte of `text` may be another; nor may one be missing or too many. */
static void check_tampered(struct input *in, char *text, size_t len)
{
    size_t at = input_u32(in) % len;
    char change = (char)(input_byte(in) | 1), was = text[at];
    struct token_claims claims;
    struct seat_claims seat;
    text[at] = (char)(was ^ change);
    PROMISE(token_verify(ours, text, len, NOW, &claims) == STATUS_UNAUTHORIZED);
    PROMISE(seat_verify(ours, text, len, &seat) == STATUS_UNAUTHORIZED);
    text[at] = was;
    PROMISE(token_verify(ours, text, len - 1, NOW, &claims) == STATUS_UNAUTHORIZED);
    PROMISE(seat_verify(ours, text, at, &seat) == STATUS_UNAUTHORIZED);
    text[len] = '.';
    PROMISE(token_verify(ours, text, len + 1, NOW, &claims) == STATUS_UNAUTHORIZED);
    PROMISE(seat_verify(ours, text, len + 1, &seat) == STATUS_UNAUTHORIZED);
    text[len] = '\0';
    check_ours(text, len);
}

static void take_line(struct input *in, char *out, size_t size)
{
    char *line = input_line(in);
    snprintf(out, size, "%s", line);
    free(line);
}

static void try_claims(struct input *in)
{
    struct token_claims claims = {.role = (enum role)input_choice(in, ROLE_OPERATOR + 2)}, back;
    char text[TOKEN_MAX + 2];
    claims.issued_at = NOW - (int64_t)(int32_t)input_u32(in);
    claims.expires_at = NOW + (int64_t)(int32_t)input_u32(in);
    take_line(in, claims.peer_id, sizeof claims.peer_id);
    take_line(in, claims.room, sizeof claims.room);
    if (token_sign(ours, &claims, text) != STATUS_OK) {
        PROMISE(text[0] == '\0');
        return;
    }
    size_t len = strlen(text);
    PROMISE(len <= TOKEN_MAX);
    PROMISE(token_verify(ours, text, len, claims.expires_at, &back) == STATUS_TOKEN_EXPIRED);
    PROMISE(token_verify(ours, text, len, claims.expires_at - 1, &back) == STATUS_OK);
    PROMISE(strcmp(back.peer_id, claims.peer_id) == 0 && back.role == claims.role &&
            strcmp(back.room, claims.room) == 0 && back.issued_at == claims.issued_at &&
            back.expires_at == claims.expires_at);
    check_tampered(in, text, len);
}

static void try_seat(struct input *in)
{
    struct seat_claims seat = {.rev = (uint64_t)input_u32(in) << 32 | input_u32(in)}, back;
    char text[SEAT_MAX + 2];
    seat.issued_at = NOW - (int64_t)(int32_t)input_u32(in);
    take_line(in, seat.peer_id, sizeof seat.peer_id);
    take_line(in, seat.session, sizeof seat.session);
    take_line(in, seat.room, sizeof seat.room);
    if (seat_sign(ours, &seat, text) != STATUS_OK) {
        PROMISE(text[0] == '\0');
        return;
    }
    size_t len = strlen(text);
    PROMISE(seat_verify(ours, text, len, &back) == STATUS_OK);
    PROMISE(strcmp(back.peer_id, seat.peer_id) == 0 && strcmp(back.session, seat.session) == 0 &&
            strcmp(back.room, seat.room) == 0 && back.rev == seat.rev &&
            back.issued_at == seat.issued_at);
    check_tampered(in, text, len);
}

/* A key file: one that is taken signs with its first key, and every key of it can be found. */
static void try_key_file(struct input *in)
{
    struct keyring *keyring = load((const char *)in->at, in->left);
    if (!keyring)
        return;
    struct token_claims claims = {"p-1", ROLE_PEER, "r1", NOW - 1, NOW + 1}, back;
    char text[TOKEN_MAX + 1];
    PROMISE(keyring->count >= 1 && keyring->count <= KEYS_MAX);
    for (unsigned i = 0; i < keyring->count; i++) {
        const struct key *key = &keyring->keys[i];
        PROMISE(is_id(key->kid) && keyring_find(keyring, key->kid) == key);
        PROMISE(key->len >= KEY_BYTES_MIN && key->len <= KEY_BYTES_MAX);
    }
    PROMISE(token_sign(keyring, &claims, text) == STATUS_OK);
    PROMISE(token_verify(keyring, text, strlen(text), NOW, &back) == STATUS_OK);
    keyring_free(keyring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(struct input * in) = {try_text, try_signed, try_claims, try_seat,
                                                       try_key_file};
    struct input in = {data, size};
    tries[input_choice(&in, COUNT_OF(tries))](&in);
    return 0;
}
