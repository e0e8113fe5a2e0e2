/*
 * The system calls by which a process gives something up: no_new_privs, capabilities, close_range, Landlock, seccomp.
 *
 * C because prctl() is variadic and the others have no function in glibc; Landlock by numbers, because headers of 6.1 know
 * only its second version. Functions return their result or -errno. Read next: Sources/Sandbox/Sandbox.swift.
 */
#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long csandbox_result(long r) { return r < 0 ? -errno : r; }

/* Linux 5.9. */
static inline long csandbox_close(unsigned first, unsigned last)
{
    return csandbox_result(syscall(436 /* close_range */, first, last, 0));
}

static inline long csandbox_no_new_privileges(void) { return csandbox_result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

/* All of them, in all sets (capset(2)). */
static inline long csandbox_drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return csandbox_result(syscall(SYS_capset, &header, none));
}

/*
 * For all threads: a positive result is a thread that has filters of its own. Spectre mitigations stay as they were (before
 * Linux 5.16 a filter would turn them on): what is held here is our own code, and the guest's is KVM's to confine. Linux 4.17
 * is the first that can be told so.
 */
static inline long csandbox_filter(const void *program, unsigned short count)
{
    struct sock_fprog filter = {count, (struct sock_filter *)program};
    unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    long result = csandbox_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
    if (result == -EINVAL)
        result = csandbox_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter));
    return result > 0 ? -ESRCH : result;
}

/* 0 where filters that end a process can be loaded (Linux 4.14). */
static inline long csandbox_has_filters(void)
{
    unsigned action = SECCOMP_RET_KILL_PROCESS;
    return csandbox_result(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

/* Landlock (Linux, Documentation/userspace-api/landlock.rst). Its version, from 1 on. */
static inline long csandbox_landlock_version(void)
{
    return csandbox_result(syscall(SYS_landlock_create_ruleset, (void *)0, 0, 1u /* LANDLOCK_CREATE_RULESET_VERSION */));
}
/* Everything that this version can forbid: use of files, TCP, and, outwards, abstract sockets and signals. */
static inline long csandbox_landlock_create(long version)
{
    struct {
        uint64_t files, network, scopes;
    } forbidden = {(1u << (version > 4 ? 16 : version > 2 ? 15 : version > 1 ? 14 : 13)) - 1, 3, 3};
    unsigned long size = version > 5 ? 24 : version > 3 ? 16 : 8;
    return csandbox_result(syscall(SYS_landlock_create_ruleset, &forbidden, size, 0u));
}
/* Lets a file, or all in a folder, through; EINVAL for a use that the path's kind does not have. */
static inline long csandbox_landlock_allow(int ruleset, const char *path, uint64_t access)
{
    int parent = open(path, 010000000 /* O_PATH, a GNU extension */ | O_CLOEXEC);
    if (parent < 0)
        return -errno;
    struct __attribute__((packed)) {
        uint64_t access;
        int32_t parent;
    } rule = {access, parent};
    long result = csandbox_result(syscall(SYS_landlock_add_rule, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0u));
    close(parent);
    return result;
}
/* From here on for the calling thread and those that it makes. */
static inline long csandbox_landlock_enter(long ruleset)
{
    return csandbox_result(syscall(SYS_landlock_restrict_self, ruleset, 0u));
}

#endif
