#include "common/address.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct address of(const char *text)
{
    struct address address;
    if (!address_parse(text, strlen(text), &address))
        fail_msg("%s is an address", text);
    return address;
}

static void assert_same(struct address a, const char *text)
{
    struct address b = of(text);
    assert_memory_equal(&a, &b, sizeof a);
}

static void test_parse(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       " ",
                                       "1.2.3",
                                       "1.2.3.4 ",
                                       "1.2.3.4%eth0",
                                       "256.1.1.1",
                                       "1.2.3.4/8",
                                       "::g",
                                       "[::1]",
                                       "localhost",
                                       "1.2.3.4:80",
                                       "01.2.3.4",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999",
                                       "0000:0000:0000:0000:0000:ffff:255.255.255.2555555"};
    struct address address;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (address_parse(none[i], strlen(none[i]), &address))
            fail_msg("%s is no address", none[i]);
    }
    assert_false(address_parse("1.2.3.4\0", 8, &address));
    assert_same(of("10.1.2.3"), "::ffff:10.1.2.3");
    assert_same(of("fe80::1%eth0"), "fe80::1");
    assert_true(address_parse("1.2.3.45", 7, &address)); /* the length counts, not a NUL */
    assert_same(address, "1.2.3.4");
}

static void test_of_socket(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct address address;
    assert_true(address_of_socket((struct sockaddr *)&in, &address));
    assert_same(address, "10.0.0.1");
    assert_true(address_of_socket((struct sockaddr *)&in6, &address));
    assert_same(address, "::1");
    assert_false(address_of_socket(&other, &address));
}

static bool in(const char *nets_text, const char *address_text)
{
    struct address_nets nets;
    struct address address = of(address_text);
    if (!address_nets_parse(nets_text, &nets))
        fail_msg("%s is a list", nets_text);
    return address_nets_have(&nets, &address);
}

static void test_nets(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "10.0.0.0/33",   "10.0.0.1/8",     "10.0.0.0/",      "10.0.0.0/-1",
        "::/129",        "2001:db8::1/32", "10.0.0.0/8,::1", "a",
        "10.0.0.0/0008", "fe80::%eth0/10", "10.0.0.0/8/8",   "/8"};
    struct address_nets nets = {.count = 7};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (address_nets_parse(wrong[i], &nets))
            fail_msg("%s is no list of networks", wrong[i]);
    }
    assert_int_equal(nets.count, 7);
    assert_false(in("", "127.0.0.1"));
    assert_true(in("127.0.0.1", "127.0.0.1"));
    assert_false(in("127.0.0.1", "127.0.0.2"));
    assert_true(in(" 10.0.0.0/8  ::1 ", "10.255.0.1"));
    assert_true(in("10.0.0.0/8 ::1", "::1"));
    assert_true(in("10.0.0.0/8", "::ffff:10.0.0.9"));
    assert_false(in("10.0.0.0/8", "11.0.0.0"));
    assert_true(in("172.16.0.0/12", "172.31.255.255"));
    assert_false(in("172.16.0.0/12", "172.32.0.0"));
    assert_true(in("0.0.0.0/0", "8.8.8.8"));
    assert_false(in("0.0.0.0/0", "2001:db8::1"));
    assert_true(in("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(in("2001:db8::/33", "2001:db8:8000::1"));

    char many[ADDRESS_NETS_MAX * 4 + 8] = "";
    for (int i = 0; i < ADDRESS_NETS_MAX; i++)
        strcat(many, "::1 ");
    assert_true(address_nets_parse(many, &nets));
    strcat(many, "::1");
    assert_false(address_nets_parse(many, &nets));
}

static void test_party(void **state)
{
    (void)state;
    struct address four = of("10.1.2.3"), six = of("2001:db8:1:2:3:4:5:6");
    assert_same(address_party(&four), "10.1.2.3");
    assert_same(address_party(&six), "2001:db8:1:2::");
}

static void test_client(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *forwarded_for, *client;
    } cases[] = {
        {"198.51.100.1", "203.0.113.9", "198.51.100.1"}, /* not trusted: anybody can write that */
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", " 203.0.113.9\t", "203.0.113.9"},
        {"10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"}, /* the client wrote the first itself */
        {"10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
        {"10.0.0.1", "203.0.113.9,10.0.0.3 ,10.0.0.2", "203.0.113.9"},
        {"10.0.0.1", "10.0.0.3", "10.0.0.3"},
        {"10.0.0.1", "203.0.113.9:4711", "203.0.113.9"},
        {"10.0.0.1", "[2001:db8::5]:4711", "2001:db8::5"},
        {"10.0.0.1", "2001:db8::5", "2001:db8::5"},
        {"::1", "203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9,", "10.0.0.1"},
        {"10.0.0.1", ",", "10.0.0.1"},
        {"10.0.0.1", "[", "10.0.0.1"},
        {"10.0.0.1", "[]", "10.0.0.1"},
    };
    struct address_nets trusted;
    assert_true(address_nets_parse("10.0.0.0/8 ::1", &trusted));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address peer = of(cases[i].peer);
        assert_same(address_of_client(&peer, cases[i].forwarded_for, &trusted), cases[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_of_socket), cmocka_unit_test(test_nets),
        cmocka_unit_test(test_party), cmocka_unit_test(test_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
