#include "certificates.h"

#include "common/file_text.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

/* A certificate with what proves it. */
struct proof {
    X509 *cert;
    STACK_OF(X509) * chain; /* the certificates behind ours */
    EVP_PKEY *key;
};

struct context {
    SLIST_ENTRY(context) in_all;
    SSL_CTX *ssl;
    bool adopted;
};

struct certificates {
    const char *cert_path, *key_path;
    struct proof proof;
    SLIST_HEAD(, context) contexts; /* every one there is, whosever it is */
    int index;                      /* of our registration with OpenSSL, or -1 */
};

/* ---- reading ---- */

/* Without it OpenSSL would ask the terminal for the password of an encrypted key. */
static int no_password(char *out, int size, int writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool read_certs(BIO *pem, struct proof *out)
{
    X509 *next;
    out->cert = PEM_read_bio_X509(pem, NULL, no_password, NULL);
    out->chain = sk_X509_new_null();
    if (!out->cert || !out->chain)
        return false;
    while ((next = PEM_read_bio_X509(pem, NULL, no_password, NULL))) {
        if (!sk_X509_push(out->chain, next)) {
            X509_free(next);
            return false;
        }
    }
    /* The end of the file is where no further PEM block starts; anything else is a broken one. */
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return is_end;
}

static void proof_clear(struct proof *proof)
{
    X509_free(proof->cert);
    sk_X509_pop_free(proof->chain, X509_free);
    EVP_PKEY_free(proof->key);
    *proof = (struct proof){0};
}

static enum status proof_parse(const struct file_text *cert, const struct file_text *key,
                               const struct certificates *from, struct proof *out, char *why,
                               size_t why_size)
{
    enum status status = STATUS_INTERNAL;
    BIO *cert_pem = BIO_new_mem_buf(cert->bytes, (int)cert->len);
    BIO *key_pem = BIO_new_mem_buf(key->bytes, (int)key->len);
    if (!cert_pem || !key_pem)
        snprintf(why, why_size, "out of memory");
    else if (!read_certs(cert_pem, out))
        snprintf(why, why_size, "%s: is no certificate in PEM", from->cert_path);
    else if (!(out->key = PEM_read_bio_PrivateKey(key_pem, NULL, no_password, NULL)))
        snprintf(why, why_size, "%s: is no private key in PEM", from->key_path);
    else if (X509_check_private_key(out->cert, out->key) != 1)
        snprintf(why, why_size, "%s: is not the key of %s", from->key_path, from->cert_path);
    else
        status = STATUS_OK;
    BIO_free(cert_pem);
    BIO_free(key_pem);
    /* What is left in OpenSSL's queue the broker would take for an error of its own. */
    ERR_clear_error();
    if (status != STATUS_OK)
        proof_clear(out);
    return status;
}

static enum status proof_load(const struct certificates *from, struct proof *out, char *why,
                              size_t why_size)
{
    struct file_text cert = {0}, key = {0};
    enum status status = file_text_read(from->cert_path, FILE_TEXT_PUBLIC, CERTIFICATES_FILE_MAX,
                                        &cert, why, why_size);
    if (status == STATUS_OK)
        status = file_text_read(from->key_path, FILE_TEXT_SECRET, CERTIFICATES_FILE_MAX, &key, why,
                                why_size);
    if (status == STATUS_OK)
        status = proof_parse(&cert, &key, from, out, why, why_size);
    file_text_clear(&cert);
    file_text_clear(&key);
    return status;
}

/* ---- contexts ---- */

static void on_context_made(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long number,
                            void *registered)
{
    struct certificates *certificates = registered;
    (void)ptr;
    (void)data;
    (void)index;
    (void)number;
    struct context *context = calloc(1, sizeof *context);
    if (!context)
        return; /* the broker's own means are left for this one */
    context->ssl = parent;
    SLIST_INSERT_HEAD(&certificates->contexts, context, in_all);
}

static void on_context_freed(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long number,
                             void *registered)
{
    struct certificates *certificates = registered;
    struct context *context;
    (void)ptr;
    (void)data;
    (void)index;
    (void)number;
    SLIST_FOREACH(context, &certificates->contexts, in_all)
    {
        if (context->ssl == parent) {
            SLIST_REMOVE(&certificates->contexts, context, context, in_all);
            free(context);
            return;
        }
    }
}

/*
 * A handshake asks. What the context itself holds is set aside: it is what the broker has read, and
 * of a pair with another kind of key (RSA for EC) it would show both. 1: go on, 0: the handshake
 * fails.
 */
static int on_handshake(SSL *ssl, void *registered)
{
    const struct proof *proof = &((const struct certificates *)registered)->proof;
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, proof->cert, proof->key, proof->chain, 1);
}

unsigned certificates_adopt(struct certificates *certificates)
{
    unsigned count = 0;
    struct context *context;
    SLIST_FOREACH(context, &certificates->contexts, in_all)
    {
        const X509 *shown = SSL_CTX_get0_certificate(context->ssl);
        if (!context->adopted && shown && X509_cmp(shown, certificates->proof.cert) == 0) {
            SSL_CTX_set_cert_cb(context->ssl, on_handshake, certificates);
            SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
            context->adopted = true;
        }
        count += context->adopted;
    }
    return count;
}

/* ---- all of it ---- */

enum status certificates_new(const char *cert_path, const char *key_path, struct certificates **out,
                             char *why, size_t why_size)
{
    struct certificates *certificates = calloc(1, sizeof *certificates);
    if (!certificates) {
        snprintf(why, why_size, "out of memory");
        return STATUS_INTERNAL;
    }
    *certificates =
        (struct certificates){.cert_path = cert_path, .key_path = key_path, .index = -1};
    enum status status = proof_load(certificates, &certificates->proof, why, why_size);
    if (status == STATUS_OK) {
        certificates->index =
            SSL_CTX_get_ex_new_index(0, certificates, on_context_made, NULL, on_context_freed);
        if (certificates->index < 0) {
            snprintf(why, why_size, "OpenSSL takes no registration");
            status = STATUS_INTERNAL;
        }
    }
    if (status == STATUS_OK)
        *out = certificates;
    else
        certificates_free(certificates);
    return status;
}

void certificates_free(struct certificates *certificates)
{
    struct context *context;
    if (!certificates)
        return;
    /* The code behind these callbacks is about to be unloaded. */
    if (certificates->index >= 0)
        CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, certificates->index);
    while ((context = SLIST_FIRST(&certificates->contexts))) {
        if (context->adopted)
            SSL_CTX_set_cert_cb(context->ssl, NULL, NULL);
        SLIST_REMOVE_HEAD(&certificates->contexts, in_all);
        free(context);
    }
    proof_clear(&certificates->proof);
    free(certificates);
}

enum status certificates_reload(struct certificates *certificates, char *why, size_t why_size)
{
    struct proof fresh = {0};
    enum status status = proof_load(certificates, &fresh, why, why_size);
    if (status != STATUS_OK)
        return status;
    proof_clear(&certificates->proof);
    certificates->proof = fresh;
    certificates_adopt(certificates);
    return STATUS_OK;
}
