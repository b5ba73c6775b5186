#include "tls.h"

#include "common/file_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    gnutls_x509_crt_t certs[TLS_CERTS_MAX]; /* ours first, then the chain */
    unsigned count;
    gnutls_x509_privkey_t key;
};

static const struct tls *in_use;

/* ---- loading ---- */

static gnutls_datum_t datum_of(const struct file_text *text)
{
    return (gnutls_datum_t){(unsigned char *)text->bytes, (unsigned)text->len};
}

static int import_certs(struct tls *tls, const struct file_text *text)
{
    gnutls_datum_t pem = datum_of(text);
    tls->count = TLS_CERTS_MAX;
    int result = gnutls_x509_crt_list_import(tls->certs, &tls->count, &pem, GNUTLS_X509_FMT_PEM,
                                             GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED |
                                                 GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (result < 0)
        tls->count = 0;
    return result;
}

static int import_key(struct tls *tls, const struct file_text *text)
{
    gnutls_datum_t pem = datum_of(text);
    int result = gnutls_x509_privkey_init(&tls->key);
    return result < 0 ? result
                      : gnutls_x509_privkey_import2(tls->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
}

/* Is the key the certificate's? Key ids are digests of the public key. */
static bool belong_together(const struct tls *tls)
{
    unsigned char ids[2][64];
    size_t sizes[2] = {sizeof ids[0], sizeof ids[1]};
    return gnutls_x509_crt_get_key_id(tls->certs[0], GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) ==
               0 &&
           gnutls_x509_privkey_get_key_id(tls->key, GNUTLS_KEYID_USE_SHA256, ids[1], &sizes[1]) ==
               0 &&
           sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
}

enum status tls_load(const char *cert_path, const char *key_path, struct tls **out, char *why,
                     size_t why_size)
{
    enum status status = STATUS_INTERNAL;
    struct file_text cert = {0}, key = {0};
    struct tls *tls = calloc(1, sizeof *tls);
    int result;
    if (!tls) {
        snprintf(why, why_size, "out of memory");
        return status;
    }
    if (file_text_read(cert_path, FILE_TEXT_PUBLIC, TLS_FILE_MAX, &cert, why, why_size) !=
            STATUS_OK ||
        file_text_read(key_path, FILE_TEXT_SECRET, TLS_FILE_MAX, &key, why, why_size) != STATUS_OK)
        goto done;
    if ((result = import_certs(tls, &cert)) < 0) {
        snprintf(why, why_size, "%s: %s", cert_path, gnutls_strerror(result));
    } else if ((result = import_key(tls, &key)) < 0) {
        snprintf(why, why_size, "%s: %s", key_path, gnutls_strerror(result));
    } else if (!belong_together(tls)) {
        snprintf(why, why_size, "%s: is not the key of %s", key_path, cert_path);
    } else {
        *out = tls;
        tls = NULL;
        status = STATUS_OK;
    }
done:
    tls_free(tls);
    file_text_clear(&cert);
    file_text_clear(&key);
    return status;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    for (unsigned i = 0; i < tls->count; i++)
        gnutls_x509_crt_deinit(tls->certs[i]);
    if (tls->key)
        gnutls_x509_privkey_deinit(tls->key);
    free(tls);
}

/* ---- handshakes ---- */

void tls_use(const struct tls *tls)
{
    in_use = tls;
}

static int copy_certs(const struct tls *tls, gnutls_pcert_st *out)
{
    for (unsigned i = 0; i < tls->count; i++) {
        int result = gnutls_pcert_import_x509(&out[i], tls->certs[i], 0);
        if (result < 0) {
            while (i-- > 0)
                gnutls_pcert_deinit(&out[i]);
            return result;
        }
    }
    return 0;
}

static int copy_key(const struct tls *tls, gnutls_privkey_t *out)
{
    int result = gnutls_privkey_init(out);
    if (result < 0)
        return result;
    result = gnutls_privkey_import_x509(*out, tls->key, GNUTLS_PRIVKEY_IMPORT_COPY);
    if (result < 0)
        gnutls_privkey_deinit(*out);
    return result;
}

int tls_answer(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
               gnutls_pcert_st **certs, unsigned *count, gnutls_ocsp_data_st **ocsp,
               unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags)
{
    const struct tls *tls = in_use;
    (void)session;
    (void)info;
    if (!tls)
        return -1;
    gnutls_pcert_st *copies = gnutls_calloc(tls->count, sizeof *copies);
    if (!copies || copy_certs(tls, copies) < 0) {
        gnutls_free(copies);
        return -1;
    }
    if (copy_key(tls, key) < 0) {
        for (unsigned i = 0; i < tls->count; i++)
            gnutls_pcert_deinit(&copies[i]);
        gnutls_free(copies);
        return -1;
    }
    *certs = copies;
    *count = tls->count;
    *ocsp = NULL;
    *ocsp_count = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}
