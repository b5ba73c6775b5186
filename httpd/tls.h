/*
 * tls: httpd's certificate and its private key, and the versions of TLS that it speaks.
 *
 * libmicrohttpd has TLS from GnuTLS, which asks for the certificate at each handshake: each gets a
 * copy of its own, so a certificate may be replaced, and the old one freed, while handshakes with
 * the old one are under way. Key material is in memory only, and wiped by GnuTLS when it is freed.
 */
#ifndef PARLEY_HTTPD_TLS_H
#define PARLEY_HTTPD_TLS_H

#include "common/status.h"

#include <gnutls/abstract.h>

/* TLS 1.2 and 1.3 (RFC 8996 ends what is older), and no key exchange without forward secrecy. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"

/* A certificate's chain is a few KB; no file of either kind is larger than this, in bytes. */
#define TLS_FILE_MAX  (64 * 1024)
#define TLS_CERTS_MAX 16

struct tls;

/*
 * Reads the certificate with its chain from `cert_path` and its key from `key_path`, both PEM.
 * STATUS_INTERNAL, with a sentence in `why`, when one of them cannot be read or is none, when they
 * do not belong together, or when others may read the key; `*out` is not touched then. Freed by
 * tls_free.
 */
enum status tls_load(const char *cert_path, const char *key_path, struct tls **out, char *why,
                     size_t why_size);

/* NULL is fine. Not the one that tls_use names. */
void tls_free(struct tls *tls);

/* From now on handshakes get this certificate; NULL: they fail. There is one server in a process,
 * and GnuTLS's callback knows nothing of ours: so this is the one variable of the module. */
void tls_use(const struct tls *tls);

/* GnuTLS's question at a handshake. */
gnutls_certificate_retrieve_function3 tls_answer;

#endif
