/*
 * The twin gives up what swiftlet does: the same calls, the same filter (build/filter.h, made by filter-compiler).
 *
 * As Sources/Sandbox/Sandbox.swift for an ordinary run. Read next: loop.c.
 */
#include "twin.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

void close_inherited(unsigned kept)
{
    if (kept > 3)
        syscall(SYS_close_range, 3u, kept - 1, 0u);
    syscall(SYS_close_range, kept > 2 ? kept + 1 : 3u, ~0u, 0u);
}

/* Landlock with no rule: no file may be opened. By numbers: headers of Linux 6.1 know only its second version. */
static void restrict_files(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);
    if (version < 1)
        return;
    uint64_t forbidden[] = {(1u << (version > 4 ? 16 : version > 2 ? 15 : version > 1 ? 14 : 13)) - 1, 3, 3};
    unsigned long size = version > 5 ? 24 : version > 3 ? 16 : 8;
    int ruleset = check((int)syscall(SYS_landlock_create_ruleset, forbidden, size, 0u), "landlock_create_ruleset");
    check((int)syscall(SYS_landlock_restrict_self, ruleset, 0u), "landlock_restrict_self");
    close(ruleset);
}

void sandbox_enter(void)
{
    struct sock_filter filter[sizeof filter_run / sizeof *filter_run];
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    memcpy(filter, filter_run, sizeof filter);
    for (unsigned i = 0, own = (unsigned)getpid(); i < program.len; i++)
        if (filter[i].k == 0x7fffffff) /* rules.h, OWN_PROCESS */
            filter[i].k = own;
    unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
    check((int)syscall(SYS_capset, &header, none), "capset");
    restrict_files();
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0 && errno != ENOSYS && errno != EINVAL)
        fail("seccomp");
}
