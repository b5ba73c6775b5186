/* What a process gives up: each case in a child of its own, since there is no way back. */
#include "common/process.h"

#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define USER "nobody" /* there on every machine */

/* Runs `body` in a child. True when it returned true. */
static bool in_child(bool (*body)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(body() ? EXIT_SUCCESS : EXIT_FAILURE);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static bool becomes_user(void)
{
    char why[256] = "";
    uid_t before = geteuid();
    const struct passwd *entry = getpwnam(USER);
    int signal = 0;
    prctl(PR_SET_PDEATHSIG, 15, 0, 0, 0);
    if (process_become(USER, why, sizeof why) != STATUS_OK || why[0])
        return false;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return false;
    if (before != 0)
        return geteuid() == before;
    prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
    return geteuid() == entry->pw_uid && getuid() == entry->pw_uid && getegid() == entry->pw_gid &&
           getgroups(0, NULL) <= 1 && setuid(0) != 0 && setgid(0) != 0 && setgroups(0, NULL) != 0 &&
           signal == 15;
}

static void test_becomes_the_user_for_good(void **state)
{
    (void)state;
    assert_true(in_child(becomes_user));
}

static bool stays(const char *user)
{
    char why[256] = "";
    uid_t before = geteuid();
    return process_become(user, why, sizeof why) == STATUS_OK && geteuid() == before;
}

static bool stays_without_a_name(void)
{
    return stays("");
}

static bool stays_root(void)
{
    return stays("root");
}

static void test_stays_when_told_so(void **state)
{
    (void)state;
    assert_true(in_child(stays_without_a_name));
    assert_true(in_child(stays_root));
}

static bool refuses_unknown(void)
{
    char why[256] = "";
    uid_t before = geteuid();
    enum status status = process_become("no-such-user", why, sizeof why);
    if (before != 0)
        return status == STATUS_OK;
    return status == STATUS_INTERNAL && strstr(why, "no-such-user") && strstr(why, "no such user");
}

static void test_an_unknown_user_is_an_error(void **state)
{
    (void)state;
    assert_true(in_child(refuses_unknown));
}

static bool dumps_no_core(void)
{
    struct rlimit limit;
    process_forbid_core_dumps();
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
}

static void test_no_core_is_dumped(void **state)
{
    (void)state;
    assert_true(in_child(dumps_no_core));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_becomes_the_user_for_good),
        cmocka_unit_test(test_stays_when_told_so),
        cmocka_unit_test(test_an_unknown_user_is_an_error),
        cmocka_unit_test(test_no_core_is_dumped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
