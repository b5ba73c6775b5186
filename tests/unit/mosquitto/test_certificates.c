/* The gate's hold on the broker's TLS contexts, with handshakes in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "mosquitto/certificates.h"
#include "tests/unit/pem_fixture.h"

#include <openssl/ssl.h>

static struct pem_files files;
static struct certificates *certificates;
static char why[256];

static int start(void **state)
{
    (void)state;
    pem_open(&files);
    pem_make(files.cert, files.key, "one", false);
    return certificates_new(files.cert, files.key, &certificates, why, sizeof why) != STATUS_OK;
}

static int finish(void **state)
{
    (void)state;
    certificates_free(certificates);
    certificates = NULL;
    pem_close(&files);
    return 0;
}

/* A context as the broker makes one for a listener, with what the files say now. */
static SSL_CTX *listener(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_use_certificate_chain_file(ctx, files.cert);
    SSL_CTX_use_PrivateKey_file(ctx, files.key, SSL_FILETYPE_PEM);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    return ctx;
}

struct visit {
    SSL_CTX *ctx;
    SSL *client, *server;
};

static void visit_end(struct visit *visit)
{
    SSL_free(visit->client);
    SSL_free(visit->server);
    SSL_CTX_free(visit->ctx);
}

/* A client's handshake with `listener`, by `version` of TLS at most. False: it failed. */
static bool visit_begin(SSL_CTX *server, int version, struct visit *out)
{
    BIO *ours, *theirs;
    int done[2] = {0, 0};
    assert_int_equal(BIO_new_bio_pair(&ours, 0, &theirs, 0), 1);
    out->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(out->ctx, 0);
    SSL_CTX_set_min_proto_version(out->ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(out->ctx, version);
    out->client = SSL_new(out->ctx);
    out->server = SSL_new(server);
    SSL_set_bio(out->client, ours, ours);
    SSL_set_bio(out->server, theirs, theirs);
    for (int i = 0; i < 10 && !(done[0] == 1 && done[1] == 1); i++) {
        done[0] = SSL_connect(out->client);
        done[1] = SSL_accept(out->server);
    }
    return done[0] == 1 && done[1] == 1;
}

/* Whose certificate a client sees; "" without a handshake. */
static const char *shown(SSL_CTX *server, int version)
{
    static char name[64];
    struct visit visit;
    name[0] = '\0';
    if (visit_begin(server, version, &visit))
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(visit.client)),
                                  NID_commonName, name, sizeof name);
    visit_end(&visit);
    return name;
}

static void reload_works(void)
{
    assert_int_equal(certificates_reload(certificates, why, sizeof why), STATUS_OK);
}

static void only_its_own_are_taken(void **state)
{
    (void)state;
    SSL_CTX *first = listener(), *second = listener(), *bridge = SSL_CTX_new(TLS_client_method());
    SSL_CTX *other = SSL_CTX_new(TLS_method());
    struct pem_files others;
    pem_open(&others);
    pem_make(others.cert, others.key, "other", false);
    SSL_CTX_use_certificate_chain_file(other, others.cert);
    SSL_CTX_use_PrivateKey_file(other, others.key, SSL_FILETYPE_PEM);
    assert_int_equal(certificates_adopt(certificates), 2);
    SSL_CTX_free(first);
    assert_int_equal(certificates_adopt(certificates), 1);
    pem_make(files.cert, files.key, "two", false);
    reload_works();
    assert_string_equal(shown(second, TLS1_3_VERSION), "two");
    assert_string_equal(shown(other, TLS1_3_VERSION), "other");
    SSL_CTX_free(second);
    SSL_CTX_free(other);
    SSL_CTX_free(bridge);
    pem_close(&others);
}

static void a_listener_opened_after_a_reload(void **state)
{
    (void)state;
    pem_make(files.cert, files.key, "two", false);
    SSL_CTX *late = listener();
    reload_works();
    pem_make(files.cert, files.key, "three", false);
    reload_works();
    assert_string_equal(shown(late, TLS1_3_VERSION), "three");
    SSL_CTX_free(late);
}

/* With another kind of key a context of its own would go on to show the old one to some. */
static void another_kind_of_key(void **state)
{
    (void)state;
    SSL_CTX *ctx = listener();
    certificates_adopt(certificates);
    pem_make(files.cert, files.key, "two", true);
    reload_works();
    assert_string_equal(shown(ctx, TLS1_3_VERSION), "two");
    assert_string_equal(shown(ctx, TLS1_2_VERSION), "two");
    SSL_CTX_free(ctx);
}

static void what_is_not_right_changes_nothing(void **state)
{
    (void)state;
    SSL_CTX *ctx = listener();
    certificates_adopt(certificates);
    pem_make(files.cert, NULL, "two", false);
    /* The broker has read one half, and is left without a key. */
    SSL_CTX_use_certificate_chain_file(ctx, files.cert);
    assert_int_equal(certificates_reload(certificates, why, sizeof why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "is not the key of"));
    assert_string_equal(shown(ctx, TLS1_3_VERSION), "one");
    pem_make(files.cert, files.key, "two", false);
    pem_encrypt(files.key);
    assert_int_equal(certificates_reload(certificates, why, sizeof why), STATUS_INTERNAL);
    pem_make(files.cert, files.key, "two", false);
    assert_int_equal(chmod(files.key, 0604), 0);
    assert_int_equal(certificates_reload(certificates, why, sizeof why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "chmod 600"));
    FILE *file = fopen(files.cert, "a");
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
    fclose(file);
    assert_int_equal(chmod(files.key, 0600), 0);
    assert_int_equal(certificates_reload(certificates, why, sizeof why), STATUS_INTERNAL);
    assert_string_equal(shown(ctx, TLS1_3_VERSION), "one");
    assert_int_equal(ERR_peek_error(), 0);
    SSL_CTX_free(ctx);
}

static void open_connections_go_on(void **state)
{
    char text[6];
    struct visit visit;
    (void)state;
    SSL_CTX *ctx = listener();
    certificates_adopt(certificates);
    assert_true(visit_begin(ctx, TLS1_3_VERSION, &visit));
    pem_make(files.cert, files.key, "two", false);
    reload_works();
    assert_int_equal(SSL_write(visit.client, "hello", 5), 5);
    assert_int_equal(SSL_read(visit.server, text, sizeof text), 5);
    visit_end(&visit);
    SSL_CTX_free(ctx);
}

static void old_versions(void **state)
{
    (void)state;
    SSL_CTX *ctx = listener();
    assert_string_equal(shown(ctx, TLS1_1_VERSION), "one");
    certificates_adopt(certificates);
    assert_string_equal(shown(ctx, TLS1_1_VERSION), "");
    assert_string_equal(shown(ctx, TLS1_2_VERSION), "one");
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

/* The gate is unloaded before the broker frees its contexts. */
static void contexts_outlive_it(void **state)
{
    (void)state;
    SSL_CTX *ctx = listener();
    certificates_adopt(certificates);
    certificates_free(certificates);
    certificates = NULL;
    assert_string_equal(shown(ctx, TLS1_3_VERSION), "one");
    SSL_CTX_free(ctx);
    SSL_CTX_free(listener());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_its_own_are_taken, start, finish),
        cmocka_unit_test_setup_teardown(a_listener_opened_after_a_reload, start, finish),
        cmocka_unit_test_setup_teardown(another_kind_of_key, start, finish),
        cmocka_unit_test_setup_teardown(what_is_not_right_changes_nothing, start, finish),
        cmocka_unit_test_setup_teardown(open_connections_go_on, start, finish),
        cmocka_unit_test_setup_teardown(old_versions, start, finish),
        cmocka_unit_test_setup_teardown(contexts_outlive_it, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
