/* pem_fixture: certificates and keys in files, for the tests of what reads them. */
#ifndef PARLEY_TEST_PEM_FIXTURE_H
#define PARLEY_TEST_PEM_FIXTURE_H

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pem_files {
    char folder[32];
    char cert[48], key[48];
};

static inline void pem_open(struct pem_files *files)
{
    snprintf(files->folder, sizeof files->folder, "/tmp/parley-pem-XXXXXX");
    assert_non_null(mkdtemp(files->folder));
    snprintf(files->cert, sizeof files->cert, "%s/cert", files->folder);
    snprintf(files->key, sizeof files->key, "%s/key", files->folder);
}

static inline void pem_close(struct pem_files *files)
{
    unlink(files->cert);
    unlink(files->key);
    rmdir(files->folder);
}

/* Puts `text` where a file was. */
static inline void pem_put(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

/* A certificate that says `name`, signed by itself, and its key. A NULL path is not written. */
static inline void pem_make(const char *cert_path, const char *key_path, const char *name,
                            bool is_rsa)
{
    EVP_PKEY *key = is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    if (cert_path) {
        FILE *file = fopen(cert_path, "w");
        assert_non_null(file);
        PEM_write_X509(file, cert);
        fclose(file);
    }
    if (key_path) {
        FILE *file = fopen(key_path, "w");
        assert_non_null(file);
        PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
        fclose(file);
        assert_int_equal(chmod(key_path, 0600), 0);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Encrypts the key file at `path`: nobody is there to say the password. */
static inline void pem_encrypt(const char *path)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    rewind(file);
    PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
    fclose(file);
    EVP_PKEY_free(key);
}

#endif
