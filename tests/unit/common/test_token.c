#include "keyring_fixture.h"

#include "common/base64url.h"
#include "common/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW     INT64_C(1800000000)
#define REV_MAX ((UINT64_C(1) << 53) - 1)

static struct token_claims claims_of(enum role role, const char *peer_id, const char *room)
{
    struct token_claims claims = {.role = role, .issued_at = NOW - 10, .expires_at = NOW + 3600};
    snprintf(claims.peer_id, sizeof claims.peer_id, "%s", peer_id);
    snprintf(claims.room, sizeof claims.room, "%s", room);
    return claims;
}

/* ---- tokens ---- */

static void test_round_trip(void **state)
{
    static const char *const rows[][3] = {
        {"peer", "p-ada", "kitchen"},
        {"device", "d-door", ""},
        {"service", "s-roomd", ""},
        {"operator", "o-ann", ""},
    };
    struct keyring *keyring = ring(KEY_1);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct token_claims in = claims_of(role_from_name(rows[i][0]), rows[i][1], rows[i][2]), out;
        char token[TOKEN_MAX + 1];
        assert_int_equal(token_sign(keyring, &in, token), STATUS_OK);
        assert_int_equal(token_verify(keyring, token, strlen(token), NOW, &out), STATUS_OK);
        assert_string_equal(out.peer_id, in.peer_id);
        assert_string_equal(out.room, in.room);
        assert_int_equal(out.role, in.role);
        assert_true(out.issued_at == in.issued_at && out.expires_at == in.expires_at);
        assert_int_equal(token_verify(keyring, token, strlen(token), in.expires_at - 1, &out),
                         STATUS_OK);
        memset(&out, 0, sizeof out);
        assert_int_equal(token_verify(keyring, token, strlen(token), in.expires_at, &out),
                         STATUS_TOKEN_EXPIRED);
        assert_string_equal(out.peer_id, in.peer_id);
    }
    keyring_free(keyring);
}

static void test_longest_claims_fit(void **state)
{
    char id[PEER_ID_MAX + 1] = "p-", room[ROOM_ID_MAX + 1] = "";
    char kid[300];
    struct seat_claims seat = {.rev = REV_MAX, .issued_at = NOW};
    memset(id + 2, 'x', PEER_ID_MAX - 2);
    memset(room, 'R', ROOM_ID_MAX);
    snprintf(kid, sizeof kid, "%s %s", room, strchr(KEY_1, ' ') + 1);
    struct keyring *keyring = ring(kid);
    struct token_claims claims = claims_of(ROLE_PEER, id, room);
    char token[TOKEN_MAX + 1];
    (void)state;
    assert_int_equal(token_sign(keyring, &claims, token), STATUS_OK);
    memcpy(seat.peer_id, id, sizeof id);
    memcpy(seat.session, room, sizeof room);
    memcpy(seat.room, room, sizeof room);
    assert_int_equal(seat_sign(keyring, &seat, token), STATUS_OK);
    assert_int_equal(seat_verify(keyring, token, strlen(token), &seat), STATUS_OK);
    assert_true(seat.rev == REV_MAX);
    keyring_free(keyring);
}

static void test_claims_that_do_not_hold_together(void **state)
{
    struct keyring *keyring = ring(KEY_1);
    struct token_claims rows[] = {
        claims_of(ROLE_PEER, "p-ada", ""),           claims_of(ROLE_PEER, "d-ada", "kitchen"),
        claims_of(ROLE_PEER, "p-a/b", "kitchen"),    claims_of(ROLE_PEER, "p-ada", "a b"),
        claims_of(ROLE_DEVICE, "d-door", "kitchen"), claims_of(ROLE_SERVICE, "p-ada", ""),
        claims_of(ROLE_OPERATOR, "o-ann", "r"),      claims_of(ROLE_NONE, "p-ada", "kitchen"),
        claims_of(ROLE_OPERATOR, "o-", ""),          claims_of(ROLE_PEER, "p-ada", "kitchen"),
        claims_of(ROLE_PEER, "p-ada", "kitchen"),
    };
    const size_t count = sizeof rows / sizeof *rows;
    char token[TOKEN_MAX + 1];
    (void)state;
    rows[count - 1].expires_at = rows[count - 1].issued_at;
    rows[count - 2].issued_at = -1;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(token_sign(keyring, &rows[i], token), STATUS_BAD_REQUEST);
        assert_string_equal(token, "");
    }
    keyring_free(keyring);
}

/* ---- forged by hand ---- */

/* `header`.`payload` signed with the 32 bytes of 'k', as HS256 or with another digest. */
static size_t forge(const char *header, const char *payload, const EVP_MD *digest, char *out)
{
    unsigned char mac[64];
    unsigned mac_len = sizeof mac;
    char key[32];
    memset(key, 'k', sizeof key);
    size_t len = base64url_encode(header, strlen(header), out);
    out[len++] = '.';
    len += base64url_encode(payload, strlen(payload), out + len);
    HMAC(digest, key, sizeof key, (unsigned char *)out, len, mac, &mac_len);
    out[len++] = '.';
    len += base64url_encode(mac, mac_len, out + len);
    out[len] = '\0';
    return len;
}

#define HEADER  "{\"alg\":\"HS256\",\"kid\":\"one\"}"
#define IDS     "\"sub\":\"p-ada\",\"role\":\"peer\",\"room\":\"kitchen\""
#define TIMES   "\"iat\":1799999990,\"exp\":1800003600"
#define PAYLOAD "{\"iss\":\"parley\"," IDS "," TIMES "}"

static void test_forged(void **state)
{
    static const struct {
        const char *header, *payload;
        bool good;
    } rows[] = {
        {HEADER, PAYLOAD, true},
        {"{\"typ\":\"JWT\",\"kid\":\"one\",\"alg\":\"HS256\"}", PAYLOAD, true},
        {HEADER, "{\"iss\":\"parley\"," IDS "," TIMES ",\"jti\":\"x\"}", true},
        {"{\"alg\":\"none\",\"kid\":\"one\"}", PAYLOAD, false},
        {"{\"alg\":\"hs256\",\"kid\":\"one\"}", PAYLOAD, false},
        {"{\"alg\":\"HS512\",\"kid\":\"one\"}", PAYLOAD, false},
        {"{\"alg\":\"RS256\",\"kid\":\"one\"}", PAYLOAD, false},
        {"{\"kid\":\"one\"}", PAYLOAD, false},
        {"{\"alg\":\"HS256\"}", PAYLOAD, false},
        {"{\"alg\":\"HS256\",\"kid\":\"two\"}", PAYLOAD, false},
        {"{\"alg\":\"HS256\",\"kid\":\"\"}", PAYLOAD, false},
        {"{\"alg\":\"HS256\",\"kid\":1}", PAYLOAD, false},
        {"{\"alg\":\"HS256\",\"kid\":\"one\",\"crit\":[\"b64\"],\"b64\":false}", PAYLOAD, false},
        {"{\"alg\":\"HS256\",\"kid\":\"one\",\"crit\":null}", PAYLOAD, false},
        {"{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"one\"}", PAYLOAD, false},
        {"{\"ALG\":\"HS256\",\"kid\":\"one\"}", PAYLOAD, false},
        {"[]", PAYLOAD, false},
        {"", PAYLOAD, false},
        {HEADER, "", false},
        {HEADER, "[]", false},
        {HEADER, PAYLOAD " x", false},
        {HEADER, "{\"iss\":\"parley-seat\"," IDS "," TIMES "}", false},
        {HEADER, "{\"iss\":\"Parley\"," IDS "," TIMES "}", false},
        {HEADER, "{" IDS "," TIMES "}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS "," TIMES ",\"aud\":\"x\"}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS "," TIMES ",\"nbf\":1}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS "," TIMES ",\"role\":\"operator\"}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":1799999990}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"exp\":1800003600}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":\"1\",\"exp\":1800003600}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":1,\"exp\":1800003600.5}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":1,\"exp\":1e300}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":1,\"exp\":9007199254740993}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":-1,\"exp\":1800003600}", false},
        {HEADER, "{\"iss\":\"parley\"," IDS ",\"iat\":1800003600,\"exp\":1800003600}", false},
        {HEADER, "{\"iss\":\"parley\",\"sub\":\"p-ada\",\"role\":\"peer\"," TIMES "}", false},
        {HEADER, "{\"iss\":\"parley\",\"sub\":\"p-ada\",\"role\":\"peer\",\"room\":\"\"," TIMES "}",
         false},
        {HEADER,
         "{\"iss\":\"parley\",\"sub\":\"p-ada\",\"role\":\"peer\",\"room\":\"#\"," TIMES "}",
         false},
        {HEADER, "{\"iss\":\"parley\",\"sub\":\"p-ada\",\"role\":\"operator\"," TIMES "}", false},
        {HEADER,
         "{\"iss\":\"parley\",\"sub\":\"o-ann\",\"role\":\"operator\",\"room\":null," TIMES "}",
         false},
        {HEADER, "{\"iss\":\"parley\",\"sub\":\"+\",\"role\":\"none\"," TIMES "}", false},
        {HEADER, "{\"iss\":\"parley\",\"sub\":\"o-ann\",\"role\":\"operator\"," TIMES "}", true},
    };
    struct keyring *keyring = ring(KEY_1);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char token[TOKEN_MAX * 2];
        struct token_claims out = {.role = ROLE_NONE};
        size_t len = forge(rows[i].header, rows[i].payload, EVP_sha256(), token);
        enum status status = token_verify(keyring, token, len, NOW, &out);
        if (status != (rows[i].good ? STATUS_OK : STATUS_UNAUTHORIZED))
            fail_msg("%s %s: %s", rows[i].header, rows[i].payload, status_id(status));
        assert_int_equal(out.role != ROLE_NONE, rows[i].good);
    }
    keyring_free(keyring);
}

static void test_changed_texts(void **state)
{
    struct keyring *keyring = ring(KEY_1),
                   *other = ring("one"
                                 " ampqampqampqampqampqampqampqampqampqampqamo\n");
    struct token_claims out;
    char token[TOKEN_MAX + 2], changed[TOKEN_MAX + 2];
    size_t len = forge(HEADER, PAYLOAD, EVP_sha256(), token);
    (void)state;
    assert_int_equal(token_verify(keyring, token, len, NOW, &out), STATUS_OK);
    assert_int_equal(token_verify(other, token, len, NOW, &out), STATUS_UNAUTHORIZED);
    /* Every character counts: each is in base64url's canonical form, and under the signature. */
    for (size_t i = 0; i < len; i++) {
        for (const char *c = "A.=_\n"; *c; c++) {
            memcpy(changed, token, len + 1);
            if (changed[i] == *c)
                continue;
            changed[i] = *c;
            assert_int_equal(token_verify(keyring, changed, len, NOW, &out), STATUS_UNAUTHORIZED);
        }
        assert_int_equal(token_verify(keyring, token, i, NOW, &out), STATUS_UNAUTHORIZED);
    }
    for (const char *more = ".=AA"; *more; more++) {
        memcpy(changed, token, len);
        changed[len] = *more;
        assert_int_equal(token_verify(keyring, changed, len + 1, NOW, &out), STATUS_UNAUTHORIZED);
    }
    /* The last character of a 32-byte signature has two bits that say nothing: they have to be
     * zero. */
    memcpy(changed, token, len);
    changed[len - 1]++;
    assert_int_equal(token_verify(keyring, changed, len, NOW, &out), STATUS_UNAUTHORIZED);
    len = forge(HEADER, PAYLOAD, EVP_sha512(), token);
    assert_int_equal(token_verify(keyring, token, len, NOW, &out), STATUS_UNAUTHORIZED);
    keyring_free(keyring);
    keyring_free(other);
}

static void test_rotation(void **state)
{
    struct keyring *old = ring(KEY_1), *both = ring(KEY_2 KEY_1), *new = ring(KEY_2);
    struct token_claims in = claims_of(ROLE_OPERATOR, "o-ann", ""), out;
    char token[TOKEN_MAX + 1];
    (void)state;
    assert_int_equal(token_sign(old, &in, token), STATUS_OK);
    assert_int_equal(token_verify(both, token, strlen(token), NOW, &out), STATUS_OK);
    assert_int_equal(token_verify(new, token, strlen(token), NOW, &out), STATUS_UNAUTHORIZED);
    assert_int_equal(token_sign(both, &in, token), STATUS_OK);
    assert_int_equal(token_verify(new, token, strlen(token), NOW, &out), STATUS_OK);
    assert_int_equal(token_verify(old, token, strlen(token), NOW, &out), STATUS_UNAUTHORIZED);
    keyring_free(old);
    keyring_free(both);
    keyring_free(new);
}

/* ---- seats ---- */

#define SEAT                                                                                       \
    "\"sub\":\"p-ada\",\"session\":\"s1\",\"room\":\"kitchen\",\"rev\":7,\"iat\":1799999990"

static void test_seats(void **state)
{
    struct keyring *keyring = ring(KEY_1);
    struct seat_claims in = {.peer_id = "p-ada",
                             .session = "s1",
                             .room = "kitchen",
                             .rev = 7,
                             .issued_at = NOW},
                       out;
    struct token_claims claims = claims_of(ROLE_PEER, "p-ada", "kitchen");
    char seat[SEAT_MAX + 1], token[TOKEN_MAX + 1];
    (void)state;
    assert_int_equal(seat_sign(keyring, &in, seat), STATUS_OK);
    assert_int_equal(seat_verify(keyring, seat, strlen(seat), &out), STATUS_OK);
    assert_string_equal(out.peer_id, in.peer_id);
    assert_string_equal(out.session, in.session);
    assert_string_equal(out.room, in.room);
    assert_true(out.rev == in.rev && out.issued_at == in.issued_at);

    /* Neither passes for the other. */
    assert_int_equal(token_sign(keyring, &claims, token), STATUS_OK);
    assert_int_equal(token_verify(keyring, seat, strlen(seat), NOW, &claims), STATUS_UNAUTHORIZED);
    assert_int_equal(seat_verify(keyring, token, strlen(token), &out), STATUS_UNAUTHORIZED);
    assert_int_equal(seat_verify(keyring, "", 0, &out), STATUS_UNAUTHORIZED);

    /* One that is made up: with this issuer only, and every character counts. */
    static const struct {
        const char *payload;
        bool good;
    } rows[] = {
        {"{\"iss\":\"parley-seat\"," SEAT "}", true},
        {"{\"iss\":\"parley\"," SEAT "}", false},
        {"{" SEAT "}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char forged[SEAT_MAX * 2];
        size_t len = forge(HEADER, rows[i].payload, EVP_sha256(), forged);
        assert_int_equal(seat_verify(keyring, forged, len, &out),
                         rows[i].good ? STATUS_OK : STATUS_UNAUTHORIZED);
    }
    for (size_t i = 0; seat[i]; i++) {
        char right = seat[i];
        seat[i] = right == 'A' ? 'B' : 'A';
        assert_int_equal(seat_verify(keyring, seat, strlen(seat), &out), STATUS_UNAUTHORIZED);
        seat[i] = right;
    }

    for (char *field = in.peer_id; field; field = field == in.peer_id   ? in.session
                                                  : field == in.session ? in.room
                                                                        : NULL) {
        char first = field[0];
        field[0] = '\0';
        assert_int_equal(seat_sign(keyring, &in, seat), STATUS_BAD_REQUEST);
        field[0] = first;
    }

    /* A rev that no reader would take is not signed. */
    in.rev = UINT64_C(1) << 53;
    assert_int_equal(seat_sign(keyring, &in, seat), STATUS_BAD_REQUEST);
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_longest_claims_fit),
        cmocka_unit_test(test_claims_that_do_not_hold_together),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_changed_texts),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_seats),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
