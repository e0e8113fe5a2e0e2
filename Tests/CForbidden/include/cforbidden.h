/*
 * One system call under a filter, in a process of its own: a forbidden one ends that process, which the caller sees.
 *
 * C because Swift has no fork(), and because nothing may run between it and the call but system calls. Read next:
 * ../../SandboxTests/FilterTests.swift.
 */
#ifndef CFORBIDDEN_H
#define CFORBIDDEN_H

#include <csandbox.h>
#include <errno.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The ways into the kernel: as every 64-bit program, with x32's numbers, and with those of i386; as the first, but on a kernel
 * that does not know SECCOMP_FILTER_FLAG_SPEC_ALLOW (before Linux 4.17), and beside a thread that has filters of its own.
 */
enum { CFORBIDDEN_NATIVE, CFORBIDDEN_X32, CFORBIDDEN_I386, CFORBIDDEN_OLD_KERNEL, CFORBIDDEN_OTHER_THREAD };

static inline long cforbidden_i386(long number)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
    return result;
}

/*
 * fork() would copy the descriptors of tests beside this one: a lock, a tap, or a pipe's end that such a test closes would
 * stay as long as the child does. So the child first has the same table, and then one that never held more than 0 to 2:
 * unsharing and closing are one step (close_range(2)). A kernel before 5.9 leaves the table shared.
 */
static inline pid_t cforbidden_fork(void)
{
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_UNSHARE);
    return child;
}

static inline void cforbidden_load(const struct sock_filter *program, unsigned short count)
{
    struct sock_fprog filter = {count, (struct sock_filter *)program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

/* seccomp() with that flag is EINVAL from here on. */
static inline void cforbidden_be_old(void)
{
    const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    cforbidden_load(program, sizeof program / sizeof *program);
}

static inline int cforbidden_thread(void *is_ready)
{
    const struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    cforbidden_load(program, 1);
    *(volatile int *)is_ready = 1;
    for (;;)
        syscall(SYS_pause);
}

/* Not pthread_create(), whose locks some other thread may have held at the fork. */
int clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
static inline void cforbidden_start_thread(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    static volatile int is_ready;
    clone(cforbidden_thread, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
        (void *)&is_ready);
    while (!is_ready)
        syscall(SYS_sched_yield);
}

/* waitpid()'s status: killed, or exit status 100 without a filter, 0 for a call that returned, whatever it returned. */
static inline int cforbidden_try(
    const void *program, unsigned short count, int way, long number, long a, long b, long c, long d)
{
    pid_t child = cforbidden_fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        alarm(10); /* a call that was let through may wait */
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core files of a test */
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (way == CFORBIDDEN_OLD_KERNEL)
            cforbidden_be_old();
        if (way == CFORBIDDEN_OTHER_THREAD)
            cforbidden_start_thread();
        if (csandbox_filter(program, count) < 0)
            _exit(100);
        if (way == CFORBIDDEN_I386)
            cforbidden_i386(number);
        else
            syscall(way == CFORBIDDEN_X32 ? number | 0x40000000 : number, a, b, c, d, 0, 0);
        _exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* The numbers of which the tests speak. */
static inline long cforbidden_number(const char *name)
{
#define CFORBIDDEN_NUMBER(call) if (strcmp(name, #call) == 0) return SYS_##call;
    CFORBIDDEN_NUMBER(execve) CFORBIDDEN_NUMBER(execveat) CFORBIDDEN_NUMBER(fork) CFORBIDDEN_NUMBER(vfork)
    CFORBIDDEN_NUMBER(clone) CFORBIDDEN_NUMBER(clone3) CFORBIDDEN_NUMBER(socket) CFORBIDDEN_NUMBER(connect)
    CFORBIDDEN_NUMBER(open) CFORBIDDEN_NUMBER(openat) CFORBIDDEN_NUMBER(openat2) CFORBIDDEN_NUMBER(ptrace)
    CFORBIDDEN_NUMBER(process_vm_writev) CFORBIDDEN_NUMBER(kill) CFORBIDDEN_NUMBER(setuid) CFORBIDDEN_NUMBER(unshare)
    CFORBIDDEN_NUMBER(mount) CFORBIDDEN_NUMBER(bpf) CFORBIDDEN_NUMBER(io_uring_setup) CFORBIDDEN_NUMBER(prctl)
    CFORBIDDEN_NUMBER(io_uring_register)
    CFORBIDDEN_NUMBER(seccomp) CFORBIDDEN_NUMBER(memfd_create) CFORBIDDEN_NUMBER(userfaultfd)
    CFORBIDDEN_NUMBER(ioctl) CFORBIDDEN_NUMBER(mmap) CFORBIDDEN_NUMBER(mprotect) CFORBIDDEN_NUMBER(pkey_mprotect)
    CFORBIDDEN_NUMBER(unlink) CFORBIDDEN_NUMBER(rename) CFORBIDDEN_NUMBER(pwrite64) CFORBIDDEN_NUMBER(newfstatat)
    CFORBIDDEN_NUMBER(getpid) CFORBIDDEN_NUMBER(dup) CFORBIDDEN_NUMBER(dup2) CFORBIDDEN_NUMBER(fcntl)
    CFORBIDDEN_NUMBER(eventfd2) CFORBIDDEN_NUMBER(sched_getaffinity)
    CFORBIDDEN_NUMBER(sched_setaffinity) CFORBIDDEN_NUMBER(tgkill)
    CFORBIDDEN_NUMBER(madvise)
    return -1;
}

#endif
