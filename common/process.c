#include "process.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* LeakSanitizer attaches to its own process at the end, so it has to be dumpable. */
#if defined(__SANITIZE_ADDRESS__)
#define DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DUMPABLE 1
#endif
#endif
#ifndef DUMPABLE
#define DUMPABLE 0
#endif

void process_forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};
    /* A limit can always be lowered; a unit's system call filter may still refuse the call, and has
     * set the limit itself. Where the kernel hands dumps to a program the limit is not asked, and
     * the second line counts. */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0);
}

void process_forbid_new_rights(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static enum status refuse(char *why, size_t why_size, const char *user, const char *what)
{
    snprintf(why, why_size, "[parley] user = %s: %s", user, what);
    return STATUS_INTERNAL;
}

/* The order counts: groups and group while we still may. */
static bool give_up(const struct passwd *entry)
{
    return initgroups(entry->pw_name, entry->pw_gid) == 0 &&
           setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) == 0 &&
           setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) == 0;
}

static bool has_way_back(const struct passwd *entry)
{
    uid_t uids[3];
    gid_t gids[3];
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return true;
    for (size_t i = 0; i < 3; i++) {
        if (uids[i] != entry->pw_uid || gids[i] != entry->pw_gid)
            return true;
    }
    return setuid(0) == 0 || setgid(0) == 0;
}

enum status process_become(const char *user, char *why, size_t why_size)
{
    process_forbid_new_rights();
    if (geteuid() != 0 || user[0] == '\0' || strcmp(user, "root") == 0)
        return STATUS_OK;
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return refuse(why, why_size, user, errno ? strerror(errno) : "there is no such user");
    if (entry->pw_uid == 0 || entry->pw_gid == 0)
        return refuse(why, why_size, user, "is root by another name");
    int parent_death_signal = 0;
    prctl(PR_GET_PDEATHSIG, &parent_death_signal, 0, 0, 0);
    if (!give_up(entry))
        return refuse(why, why_size, user, strerror(errno));
    if (has_way_back(entry))
        return refuse(why, why_size, user, "root's rights are still there");
    /* Both of these the kernel forgets when ids change. */
    process_forbid_core_dumps();
    prctl(PR_SET_PDEATHSIG, parent_death_signal, 0, 0, 0);
    return STATUS_OK;
}

void process_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
