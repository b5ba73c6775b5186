/*
 * under_filter RULES COMMAND…: runs COMMAND under the system call filter that systemd would set for
 * a unit, except that a call which is not allowed ends the process (SIGSYS) where systemd's filter
 * would have it fail.
 *
 * RULES is a file of lines, made from the unit by tests/lib/units.mjs: `call NAME` is allowed,
 * `family NUMBER` is an address family that `socket` may have, `no-exec-memory` refuses memory that
 * can be written and executed, as MemoryDenyWriteExecute= does.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#define REFUSE SCMP_ACT_KILL_PROCESS

static void die(const char *what, const char *why)
{
    fprintf(stderr, "under_filter: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* systemd 252, seccomp_memory_deny_write_execute(). What is not refused here is allowed by its own
 * line. */
static int allow_without_exec(scmp_filter_ctx filter, const char *name, int call)
{
    if (strcmp(name, "mmap") == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) |
               seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE, 0));
    if (strcmp(name, "mprotect") == 0 || strcmp(name, "pkey_mprotect") == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (strcmp(name, "shmat") == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, SHM_EXEC, 0));
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
}

static void add_call(scmp_filter_ctx filter, const char *name, bool no_exec_memory)
{
    int call = seccomp_syscall_resolve_name(name);
    if (call < 0 || strcmp(name, "socket") == 0)
        return; /* another architecture's; or a matter of families */
    int rc = no_exec_memory ? allow_without_exec(filter, name, call)
                            : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    if (rc != 0)
        die(name, "cannot be allowed");
}

static void add_rules(scmp_filter_ctx filter, const char *path)
{
    char line[128], name[64];
    unsigned family;
    bool no_exec_memory = false;
    FILE *rules = fopen(path, "r");
    if (!rules)
        die(path, strerror(errno));
    while (fgets(line, sizeof line, rules)) {
        if (strcmp(line, "no-exec-memory\n") == 0)
            no_exec_memory = true; /* comes first */
        else if (sscanf(line, "call %63s", name) == 1)
            add_call(filter, name, no_exec_memory);
        else if (sscanf(line, "family %u", &family) != 1 ||
                 seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, family, 0)) != 0)
            die(line, "is no rule");
    }
    fclose(rules);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage", "under_filter RULES COMMAND…");
    scmp_filter_ctx filter = seccomp_init(REFUSE);
    if (!filter)
        die("seccomp", "cannot be used");
    add_rules(filter, argv[1]);
    int rc = seccomp_load(filter);
    if (rc != 0)
        die("the filter cannot be loaded", strerror(-rc));
    seccomp_release(filter);
    execvp(argv[2], argv + 2);
    die(argv[2], strerror(errno));
}
