#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define BLANKS     " \t"
#define ALL_BITS   (8 * ADDRESS_BYTES)
#define MAPPED_LEN 12

static const unsigned char mapped[MAPPED_LEN] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped, MAPPED_LEN) == 0;
}

static void from_ipv4(const struct in_addr *in, struct address *out)
{
    memcpy(out->bytes, mapped, MAPPED_LEN);
    memcpy(out->bytes + MAPPED_LEN, in, sizeof *in);
}

bool address_parse(const char *text, size_t len, struct address *out)
{
    char copy[INET6_ADDRSTRLEN];
    const char *zone = memchr(text, '%', len);
    struct in_addr in;
    struct in6_addr in6;
    if (zone)
        len = (size_t)(zone - text);
    if (len >= sizeof copy || memchr(text, '\0', len))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!zone && inet_pton(AF_INET, copy, &in) == 1) {
        from_ipv4(&in, out);
        return true;
    }
    if (inet_pton(AF_INET6, copy, &in6) != 1)
        return false;
    memcpy(out->bytes, &in6, sizeof in6);
    return true;
}

bool address_of_socket(const struct sockaddr *from, struct address *out)
{
    switch (from->sa_family) {
    case AF_INET:
        from_ipv4(&((const struct sockaddr_in *)(const void *)from)->sin_addr, out);
        return true;
    case AF_INET6:
        memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
               ADDRESS_BYTES);
        return true;
    default:
        return false;
    }
}

/* ---- networks ---- */

/* `address` with all but its leading `bits` bits cleared. */
static struct address leading(const struct address *address, unsigned bits)
{
    struct address out = {{0}};
    memcpy(out.bytes, address->bytes, bits / 8);
    if (bits % 8 > 0)
        out.bytes[bits / 8] = address->bytes[bits / 8] & (unsigned char)(0xff00u >> bits % 8);
    return out;
}

static bool same(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

/* One to three digits, and no more than `most`. */
static bool parse_bits(const char *text, size_t len, unsigned most, unsigned *out)
{
    unsigned bits = 0;
    if (len == 0 || len > 3 || strspn(text, "0123456789") < len)
        return false;
    for (size_t i = 0; i < len; i++)
        bits = 10 * bits + (unsigned)(text[i] - '0');
    *out = bits;
    return bits <= most;
}

static bool parse_net(const char *text, size_t len, struct address *base, unsigned *bits)
{
    const char *slash = memchr(text, '/', len);
    size_t address_len = slash ? (size_t)(slash - text) : len;
    if (memchr(text, '%', len) || !address_parse(text, address_len, base))
        return false;
    /* A prefix counts in the form that stands there: ::ffff:10.0.0.0 has 128 bits, 10.0.0.0 has 32.
     */
    unsigned most = memchr(text, ':', address_len) ? ALL_BITS : ALL_BITS - 8 * MAPPED_LEN;
    *bits = most;
    if (slash && !parse_bits(slash + 1, len - address_len - 1, most, bits))
        return false;
    *bits += ALL_BITS - most;
    struct address cut = leading(base, *bits);
    return same(&cut, base);
}

bool address_nets_parse(const char *text, struct address_nets *out)
{
    struct address_nets fresh = {.count = 0};
    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        size_t len = strcspn(text, BLANKS);
        if (fresh.count == ADDRESS_NETS_MAX ||
            !parse_net(text, len, &fresh.nets[fresh.count].base, &fresh.nets[fresh.count].bits))
            return false;
        fresh.count++;
        text += len;
    }
    *out = fresh;
    return true;
}

bool address_nets_have(const struct address_nets *nets, const struct address *address)
{
    for (unsigned i = 0; i < nets->count; i++) {
        struct address cut = leading(address, nets->nets[i].bits);
        if (same(&cut, &nets->nets[i].base))
            return true;
    }
    return false;
}

struct address address_party(const struct address *address)
{
    return is_ipv4(address) ? *address : leading(address, 64);
}

/* ---- behind proxies ---- */

/* One element: an address, perhaps in brackets, perhaps with a port. */
static bool parse_element(const char *text, size_t len, struct address *out)
{
    const char *colon = memchr(text, ':', len);
    if (len > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', len);
        return end && address_parse(text + 1, (size_t)(end - text) - 1, out);
    }
    /* One colon stands before a port; an IPv6 address has more. */
    if (colon && !memchr(colon + 1, ':', len - (size_t)(colon - text) - 1))
        len = (size_t)(colon - text);
    return address_parse(text, len, out);
}

/* Cuts the last element off `text`, `*len` bytes long; false when there is none. */
static bool cut_last(const char *text, size_t *len, const char **element, size_t *element_len)
{
    size_t end = *len;
    while (end > 0 && strchr(BLANKS, text[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && text[start - 1] != ',')
        start--;
    *len = start > 0 ? start - 1 : 0;
    start += strspn(text + start, BLANKS);
    *element = text + start;
    *element_len = end > start ? end - start : 0;
    return *element_len > 0;
}

struct address address_of_client(const struct address *peer, const char *forwarded_for,
                                 const struct address_nets *trusted)
{
    struct address client = *peer;
    size_t len = forwarded_for ? strlen(forwarded_for) : 0;
    const char *element;
    size_t element_len;
    while (address_nets_have(trusted, &client) &&
           cut_last(forwarded_for ? forwarded_for : "", &len, &element, &element_len) &&
           parse_element(element, element_len, &client))
        ;
    return client;
}
