#include "check.h"

#include "httpd/ice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct turn_secret secret_of(const char *text)
{
    struct turn_secret secret = {.len = strlen(text)};
    memcpy(secret.text, text, secret.len);
    return secret;
}

/* Computed by `openssl dgst -sha1 -hmac` and base64. */
static void credentials(void **state)
{
    const struct turn_secret north = secret_of("north"), s = secret_of("s");
    char username[TURN_USERNAME_MAX + 1], credential[TURN_CREDENTIAL_MAX + 1];
    (void)state;
    ice_credentials(&north, 1893456000, "p-7wq2m4x9k1c8", username, credential);
    assert_string_equal(username, "1893456000:p-7wq2m4x9k1c8");
    assert_string_equal(credential, "/nMaL2XO7tsSa0OX+PT9u2rG+UI=");
    ice_credentials(&s, 0, "p-x", username, credential);
    assert_string_equal(username, "0:p-x");
    assert_string_equal(credential, "zbuMs5wkR8HBr4xk2/1GvJj+JMU=");
}

static const char *written(const char *urls)
{
    static char text[2048];
    const struct turn_secret north = secret_of("north");
    struct json_out out = json_start(text, sizeof text);
    json_open(&out, NULL, '{');
    ice_write(&out, urls, &north, 1893456000, "p-7wq2m4x9k1c8");
    json_close(&out, '}');
    assert_true(json_finish(&out) > 0);
    return text;
}

static void servers(void **state)
{
    (void)state;
    assert_string_equal(written(""), "{\"ice_servers\":[]}");
    assert_string_equal(written("stun:a.example"),
                        "{\"ice_servers\":[{\"urls\":[\"stun:a.example\"]}]}");
    assert_string_equal(
        written("turn:t.example:3478 stun:a  stuns:b turns:t.example?transport=tcp"),
        "{\"ice_servers\":[{\"urls\":[\"stun:a\",\"stuns:b\"]},"
        "{\"urls\":[\"turn:t.example:3478\",\"turns:t.example?transport=tcp\"],"
        "\"username\":\"1893456000:p-7wq2m4x9k1c8\","
        "\"credential\":\"/nMaL2XO7tsSa0OX+PT9u2rG+UI=\"}]}");
}

static void which_need_a_secret(void **state)
{
    (void)state;
    assert_false(ice_needs_secret(""));
    assert_false(ice_needs_secret("stun:turn.example stuns:x"));
    assert_true(ice_needs_secret("stun:x turn:y"));
    assert_true(ice_needs_secret("turns:y"));
}

/* Writes a secret file and loads it. */
static enum status load(const char *content, mode_t mode, struct turn_secret *out, char why[256])
{
    char path[] = "/tmp/parley-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    enum status status = turn_secret_load(path, out, why, 256);
    unlink(path);
    return status;
}

static void secret_files(void **state)
{
    struct turn_secret secret = {0};
    char why[256], content[TURN_SECRET_MAX + 3];
    (void)state;
    assert_int_equal(load("north\n", 0600, &secret, why), STATUS_OK);
    assert_int_equal(secret.len, 5);
    assert_string_equal(secret.text, "north");
    assert_int_equal(load("with blank \r\n", 0640, &secret, why), STATUS_OK);
    assert_string_equal(secret.text, "with blank ");
    assert_int_equal(load("north\n", 0604, &secret, why), STATUS_INTERNAL);
    assert_null(strstr(why, "north"));
    assert_int_equal(load("", 0600, &secret, why), STATUS_INTERNAL);
    assert_int_equal(load("\n", 0600, &secret, why), STATUS_INTERNAL);
    memset(content, 'x', sizeof content);
    content[TURN_SECRET_MAX] = '\n';
    content[TURN_SECRET_MAX + 1] = '\0';
    assert_int_equal(load(content, 0600, &secret, why), STATUS_OK);
    assert_int_equal(secret.len, TURN_SECRET_MAX);
    content[TURN_SECRET_MAX] = 'x';
    assert_int_equal(load(content, 0600, &secret, why), STATUS_INTERNAL);
    assert_int_equal(turn_secret_load("/nowhere/at/all", &secret, why, sizeof why),
                     STATUS_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials),
        cmocka_unit_test(servers),
        cmocka_unit_test(which_need_a_secret),
        cmocka_unit_test(secret_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
