/*
 * address.h on any text: a first line as a list of networks, a second as X-Forwarded-For, and the
 * rest, NULs and all, as an address.
 *
 * What is read, and written by inet_ntop, reads to the same. A network holds its base and what
 * differs behind its prefix, and nothing that differs within it. Who is not trusted is himself,
 * whatever he claims; and behind a trusted proxy nothing that stands before the proxy's own words
 * counts.
 */
#include "fuzz.h"

#include "common/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define BITS 128

static bool is_same(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

static bool is_ipv4(const struct address *address)
{
    return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)address->bytes);
}

static struct address read_address(const char *text)
{
    struct address address;
    PROMISE(address_parse(text, strlen(text), &address));
    return address;
}

static void write_address(const struct address *address, char out[static INET6_ADDRSTRLEN])
{
    PROMISE(inet_ntop(AF_INET6, address->bytes, out, INET6_ADDRSTRLEN) != NULL);
}

static struct address flip(struct address address, unsigned bit)
{
    address.bytes[bit / 8] ^= (unsigned char)(0x80u >> bit % 8);
    return address;
}

/* ---- addresses ---- */

static void check_address(const struct address *address)
{
    char text[INET6_ADDRSTRLEN + 8];
    struct address again, party = address_party(address);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    write_address(address, text);
    again = read_address(text);
    PROMISE(is_same(address, &again));
    strcat(text, "%eth0");
    again = read_address(text);
    PROMISE(is_same(address, &again));
    memcpy(&in6.sin6_addr, address->bytes, ADDRESS_BYTES);
    PROMISE(address_of_socket((const struct sockaddr *)&in6, &again) && is_same(address, &again));

    /* One host is one party; all of an IPv6 network's hosts are another. */
    again = address_party(&party);
    PROMISE(is_same(&party, &again));
    for (unsigned bit = 64; bit < BITS; bit++) {
        struct address neighbour = flip(*address, bit);
        again = address_party(&neighbour);
        PROMISE(is_same(&party, &again) == !(is_ipv4(address) || is_ipv4(&neighbour)));
    }
    again = flip(*address, 63);
    again = address_party(&again);
    PROMISE(!is_same(&party, &again));
    if (is_ipv4(address)) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        memcpy(&in.sin_addr, address->bytes + 12, 4);
        PROMISE(inet_ntop(AF_INET, &in.sin_addr, text, sizeof text) != NULL);
        again = read_address(text);
        PROMISE(is_same(address, &again) && is_same(address, &party));
        PROMISE(address_of_socket((const struct sockaddr *)&in, &again));
        PROMISE(is_same(address, &again));
    }
}

static void check_text(const char *text, size_t len)
{
    struct address address;
    if (!address_parse(text, len, &address))
        return;
    const char *zone = memchr(text, '%', len);
    for (size_t i = 0; i < (zone ? (size_t)(zone - text) : len); i++)
        PROMISE(strchr("0123456789abcdefABCDEF:.", text[i]) && text[i] != '\0');
    check_address(&address);
}

/* ---- networks ---- */

/* Bit by bit. */
static bool net_has(const struct address_nets *nets, unsigned at, const struct address *address)
{
    for (unsigned bit = 0; bit < nets->nets[at].bits; bit++) {
        unsigned mask = 0x80u >> bit % 8;
        if ((nets->nets[at].base.bytes[bit / 8] ^ address->bytes[bit / 8]) & mask)
            return false;
    }
    return true;
}

static bool nets_have(const struct address_nets *nets, const struct address *address)
{
    bool any = false;
    for (unsigned i = 0; i < nets->count; i++)
        any |= net_has(nets, i, address);
    PROMISE(address_nets_have(nets, address) == any);
    return any;
}

static void check_net(const struct address_nets *nets, unsigned at)
{
    char text[INET6_ADDRSTRLEN + 8];
    struct address_nets one;
    const struct address *base = &nets->nets[at].base;
    unsigned bits = nets->nets[at].bits;
    PROMISE(bits <= BITS && nets_have(nets, base));
    write_address(base, text);
    snprintf(text + strlen(text), 8, "/%u", bits);
    PROMISE(address_nets_parse(text, &one) && one.count == 1 && one.nets[0].bits == bits);
    PROMISE(is_same(&one.nets[0].base, base));
    for (unsigned bit = 0; bit < BITS; bit++) {
        struct address other = flip(*base, bit);
        PROMISE(address_nets_have(&one, &other) == (bit >= bits));
        PROMISE(bit < bits || !(base->bytes[bit / 8] & 0x80u >> bit % 8));
    }
}

static void check_nets(const char *text, struct address_nets *nets)
{
    struct address_nets before;
    memset(nets, 0x5a, sizeof *nets);
    memcpy(&before, nets, sizeof before);
    if (!address_nets_parse(text, nets)) {
        PROMISE(memcmp(&before, nets, sizeof before) == 0);
        PROMISE(address_nets_parse("10.0.0.0/8 ::1", nets));
    }
    PROMISE(nets->count <= ADDRESS_NETS_MAX);
    for (unsigned i = 0; i < nets->count; i++)
        check_net(nets, i);
}

/* ---- behind proxies ---- */

/* Cuts port and brackets off an element: what is left has to be an address. */
static bool read_element(char *element, struct address *out)
{
    char *end;
    if (*element == '[' && (end = strchr(element, ']'))) {
        *end = '\0';
        element++;
    } else if ((end = strchr(element, ':')) && end == strrchr(element, ':')) {
        *end = '\0';
    }
    return address_parse(element, strlen(element), out);
}

/* The list once more, cut at its commas from the front. */
static struct address expected_client(const struct address *peer, const char *list,
                                      const struct address_nets *nets)
{
    struct address client = *peer;
    char *copy = strdup(list), *element;
    PROMISE(copy != NULL);
    while (nets_have(nets, &client)) {
        char *comma = strrchr(copy, ',');
        element = comma ? comma + 1 : copy;
        element += strspn(element, " \t");
        for (size_t len = strlen(element); len > 0 && strchr(" \t", element[len - 1]); len--)
            element[len - 1] = '\0';
        if (!read_element(element, &client) || !comma)
            break;
        *comma = '\0';
    }
    free(copy);
    return client;
}

static void check_client(const struct address *peer, const char *list,
                         const struct address_nets *nets)
{
    struct address client = address_of_client(peer, list, nets);
    struct address expected = expected_client(peer, list, nets);
    PROMISE(is_same(&client, &expected));
    PROMISE(nets_have(nets, peer) || is_same(&client, peer));
    client = address_of_client(peer, NULL, nets);
    PROMISE(is_same(&client, peer));
}

/* A client wrote `claim`; its proxy, at `proxy`, appended whom it heard. */
static void check_claim(const struct address *proxy, const char *claim,
                        const struct address_nets *nets)
{
    static const char *const seen[] = {"203.0.113.9", "2001:db8::9"};
    char *list = malloc(strlen(claim) + 2 * INET6_ADDRSTRLEN + 8), text[INET6_ADDRSTRLEN];
    PROMISE(list != NULL);
    write_address(proxy, text);
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        struct address heard = read_address(seen[i]), client;
        if (nets_have(nets, &heard))
            continue;
        sprintf(list, "%s, %s", claim, seen[i]);
        client = address_of_client(proxy, list, nets);
        PROMISE(is_same(&client, &heard));
        sprintf(list, "%s,%s , %s", claim, seen[i], text);
        client = address_of_client(proxy, list, nets);
        PROMISE(is_same(&client, &heard));
        sprintf(list, "%s, unknown", claim);
        client = address_of_client(proxy, list, nets);
        PROMISE(is_same(&client, proxy));
    }
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const peers[] = {"10.0.0.1", "198.51.100.1", "::1", "2001:db8::1"};
    struct input in = {data, size};
    struct address_nets nets;
    char *nets_text = input_line(&in), *list = input_line(&in);
    check_nets(nets_text, &nets);
    check_text((const char *)in.at, in.left);
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        struct address peer = read_address(peers[i]);
        check_client(&peer, list, &nets);
    }
    for (unsigned i = 0; i < nets.count; i++) {
        check_client(&nets.nets[i].base, list, &nets);
        check_claim(&nets.nets[i].base, list, &nets);
    }
    free(nets_text);
    free(list);
    return 0;
}
