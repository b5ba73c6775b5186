/*
 * address: whose request is this? IPv4 and IPv6 addresses, lists of networks, and the client behind
 * trusted proxies.
 *
 * Pure. An IPv4 address is kept as IPv6 sees it (::ffff:a.b.c.d, RFC 4291, 2.5.5.2), so that both
 * forms of it are one.
 */
#ifndef PARLEY_ADDRESS_H
#define PARLEY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_BYTES 16

/* No padding: may be compared and hashed as memory. */
struct address {
    unsigned char bytes[ADDRESS_BYTES]; /* network order */
};

/* Networks an operator may list as trusted proxies. */
#define ADDRESS_NETS_MAX 32

struct address_nets {
    unsigned count;
    struct {
        struct address base;
        unsigned bits; /* of all 128, the leading ones that count */
    } nets[ADDRESS_NETS_MAX];
};

struct sockaddr;

/* Reads `len` bytes as a numeric address, with or without a zone ("fe80::1%eth0", RFC 4007; it is
 * dropped). False when they are none. */
bool address_parse(const char *text, size_t len, struct address *out);

/* The address of an AF_INET or AF_INET6 socket address. False for other families. */
bool address_of_socket(const struct sockaddr *from, struct address *out);

/*
 * Reads addresses and prefixes ("10.0.0.0/8 ::1"), separated by blanks; "" is an empty list. False
 * when one is wrong, has bits behind its prefix, or there are more than ADDRESS_NETS_MAX; `out` is
 * not touched then.
 */
bool address_nets_parse(const char *text, struct address_nets *out);

bool address_nets_have(const struct address_nets *nets, const struct address *address);

/*
 * What limits count as one party: an IPv4 address itself; of an IPv6 address its /64, since a
 * single host has one to itself (RFC 6177) and could speak from 2^64 addresses.
 */
struct address address_party(const struct address *address);

/*
 * The client of a request that came from `peer`. Its `forwarded_for` (X-Forwarded-For: a list to
 * which each proxy appends whom it heard; NULL when there is none) counts from its end, as far as
 * those who wrote it are `trusted`; what an untrusted one wrote, or nobody can read, counts for
 * nothing.
 */
struct address address_of_client(const struct address *peer, const char *forwarded_for,
                                 const struct address_nets *trusted);

#endif
