#include "check.h"

#include "httpd/tls.h"
#include "tests/unit/pem_fixture.h"

static struct pem_files files;

static int open_files(void **state)
{
    (void)state;
    pem_open(&files);
    pem_make(files.cert, files.key, "one", false);
    return 0;
}

static int close_files(void **state)
{
    (void)state;
    pem_close(&files);
    return 0;
}

/* What loading the files says: NULL when they are right. */
static const char *fault(void)
{
    static char why[256];
    struct tls *tls = NULL;
    enum status status = tls_load(files.cert, files.key, &tls, why, sizeof why);
    if (status != STATUS_OK) {
        assert_null(tls);
        return why;
    }
    tls_free(tls);
    return NULL;
}

static void both_kinds_of_key(void **state)
{
    (void)state;
    assert_null(fault());
    pem_make(files.cert, files.key, "one", true);
    assert_null(fault());
    assert_int_equal(chmod(files.key, 0640), 0);
    assert_null(fault());
}

static void files_that_are_not_right(void **state)
{
    (void)state;
    pem_make(files.cert, NULL, "two", false);
    assert_non_null(strstr(fault(), "is not the key of"));
    pem_put(files.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0644);
    assert_non_null(strstr(fault(), files.cert));
    pem_put(files.cert, "", 0644);
    assert_non_null(strstr(fault(), files.cert));
    unlink(files.cert);
    assert_non_null(strstr(fault(), files.cert));
    pem_make(files.cert, files.key, "one", false);
    pem_put(files.key, "no key", 0600);
    assert_non_null(strstr(fault(), files.key));
    assert_null(strstr(fault(), "no key"));
    pem_make(files.cert, files.key, "one", false);
    pem_encrypt(files.key);
    assert_non_null(strstr(fault(), files.key));
}

static void keys_that_others_may_read(void **state)
{
    static const mode_t modes[] = {0604, 0602, 0620, 0644, 0666};
    (void)state;
    for (size_t i = 0; i < ROWS(modes); i++) {
        assert_int_equal(chmod(files.key, modes[i]), 0);
        const char *why = fault();
        if (!why || !strstr(why, "chmod 600"))
            fail_msg("%o: %s", modes[i], why ? why : "taken");
    }
}

static void a_broken_certificate_behind_ours(void **state)
{
    (void)state;
    FILE *file = fopen(files.cert, "a");
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
    fclose(file);
    assert_non_null(fault());
}

/* The answer to a handshake is its own: it still signs when what it came from is gone. */
static void an_answer_outlives_a_reload(void **state)
{
    struct tls *tls = NULL;
    char why[256];
    gnutls_pcert_st *certs = NULL;
    gnutls_ocsp_data_st *ocsp = NULL;
    gnutls_privkey_t key = NULL;
    unsigned count = 0, ocsp_count = 1, flags = 0;
    gnutls_datum_t data = {(unsigned char *)"hello", 5}, signature = {NULL, 0};
    (void)state;
    assert_true(tls_answer(NULL, NULL, &certs, &count, &ocsp, &ocsp_count, &key, &flags) < 0);
    assert_int_equal(tls_load(files.cert, files.key, &tls, why, sizeof why), STATUS_OK);
    tls_use(tls);
    assert_int_equal(tls_answer(NULL, NULL, &certs, &count, &ocsp, &ocsp_count, &key, &flags), 0);
    assert_int_equal(count, 1);
    assert_int_equal(ocsp_count, 0);
    assert_int_equal(flags, GNUTLS_CERT_RETR_DEINIT_ALL);
    tls_use(NULL);
    tls_free(tls);
    assert_int_equal(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature), 0);
    assert_int_equal(
        gnutls_pubkey_verify_data2(certs[0].pubkey, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature),
        0);
    gnutls_free(signature.data);
    gnutls_privkey_deinit(key);
    gnutls_pcert_deinit(&certs[0]);
    gnutls_free(certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_kinds_of_key, open_files, close_files),
        cmocka_unit_test_setup_teardown(files_that_are_not_right, open_files, close_files),
        cmocka_unit_test_setup_teardown(keys_that_others_may_read, open_files, close_files),
        cmocka_unit_test_setup_teardown(a_broken_certificate_behind_ours, open_files, close_files),
        cmocka_unit_test_setup_teardown(an_answer_outlives_a_reload, open_files, close_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
