/*
 * certificates: the broker's TLS listeners and the certificate that they show.
 *
 * Mosquitto 2.0 reads certificates again at SIGHUP only for its plain listeners, not for those of
 * WebSockets, and leaves a listener without a working certificate when the new one and its key do
 * not belong together. `tls_version`, too, it keeps to itself. So this module keeps the certificate
 * that was last found right, and sees to it that every listener shows that one, and speaks TLS 1.2
 * at least.
 *
 * It uses OpenSSL's own means: whoever registers data for SSL_CTX objects is told of each that is
 * made (CRYPTO_get_ex_new_index(3)), and a context asks its callback for the certificate at each
 * handshake (SSL_CTX_set_cert_cb(3)). Connections that are open keep what they have.
 */
#ifndef PARLEY_GATE_CERTIFICATES_H
#define PARLEY_GATE_CERTIFICATES_H

#include "common/status.h"

#include <stddef.h>

/* A file of either kind is no larger than this, in bytes. */
#define CERTIFICATES_FILE_MAX (64 * 1024)

struct certificates;

/*
 * Reads the certificate with its chain and its key, both PEM, and begins to watch for contexts: has
 * to be called before the broker opens its listeners. STATUS_INTERNAL, with a sentence in `why`,
 * when one of the files cannot be read or is none, when they do not belong together, or when others
 * may read the key. The paths are used again by certificates_reload, and outlive `*out`. Freed by
 * certificates_free.
 */
enum status certificates_new(const char *cert_path, const char *key_path, struct certificates **out,
                             char *why, size_t why_size);

/* Lets go of all contexts. NULL is fine. */
void certificates_free(struct certificates *certificates);

/*
 * Takes over the contexts that show the certificate and are not taken yet; the broker's others (of
 * bridges) are left alone. Returns how many listeners are taken by now.
 */
unsigned certificates_adopt(struct certificates *certificates);

/* Reads the files again. When they are not right: as certificates_new, and the old certificate goes
 * on. */
enum status certificates_reload(struct certificates *certificates, char *why, size_t why_size);

#endif
