/*
 * What Swift cannot see of the host: TSC and CPUID instructions, the kick signal, per-thread timers, variadic calls.
 *
 * Everything is static inline and each function says why it is C. Functions return their result or -errno.
 * Read next: Sources/Host/Thread.swift.
 */
#ifndef CHOST_H
#define CHOST_H

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static inline long chost_result(long r) { return r < 0 ? -errno : r; }

/* Instructions. */
static inline uint64_t chost_rdtsc(void) { return __builtin_ia32_rdtsc(); }
static inline void chost_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    __cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
}
/* xgetbv: which vector state this host's kernel enables (only to be asked when CPUID.1:ECX.OSXSAVE is set). */
static inline uint64_t chost_xgetbv0(void)
{
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* What the kernel has enabled of the CPU: <sys/auxv.h> is not in Swift's Glibc module. */
static inline unsigned long chost_hwcap2(void) { return getauxval(AT_HWCAP2); }

/* open() and fcntl() are variadic. */
static inline long chost_open(const char *path, int flags) { return chost_result(open(path, flags | O_CLOEXEC, 0666)); }

/* GNU extensions, which the header of this module's importers may hide: by system call. */
static inline long chost_ppoll(struct pollfd *fds, unsigned long count, const struct timespec *limit)
{
    return chost_result(syscall(SYS_ppoll, fds, count, limit, (void *)0, 0));
}
static inline long chost_child_pipe(int ends[2]) { return chost_result(syscall(SYS_pipe2, ends, O_CLOEXEC)); }
/* Not in glibc's headers before 2.36. */
static inline long chost_pidfd_open(int pid) { return chost_result(syscall(SYS_pidfd_open, pid, 0)); }
static inline long chost_pipe(int ends[2]) { return chost_result(syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK)); }

/* A file without a name in a folder: O_TMPFILE is a GNU extension too. */
static inline long chost_temporary(const char *folder)
{
    return chost_result(open(folder, O_RDWR | O_CLOEXEC | O_DIRECTORY | 020000000 /* __O_TMPFILE */, 0600));
}

/* <malloc.h> is not in Swift's module of glibc. */
static inline void chost_use_one_heap(void) { mallopt(M_ARENA_MAX, 1); }

/* cpu_set_t's macros do not import: CPUs 0 to 1023 as 16 words. Of the calling thread. */
static inline long chost_set_affinity(const uint64_t mask[16])
{
    return chost_result(syscall(SYS_sched_setaffinity, 0, 16 * sizeof *mask, mask));
}
static inline long chost_get_affinity(uint64_t mask[16])
{
    return chost_result(syscall(SYS_sched_getaffinity, 0, 16 * sizeof *mask, mask));
}

static inline int chost_is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/*
 * The kick. A vCPU thread is in KVM_RUN or in a blocking system call; the signal ends either with EINTR. The handler
 * sets kvm_run.immediate_exit through this thread-local pointer, which closes the window between the check of a flag
 * and KVM_RUN (KVM API, "immediate_exit"). SIGUSR1 and no real-time signal: those are queued, and pthread_kill fails when
 * the user's queue is full (RLIMIT_SIGPENDING); an ordinary one always gets through. It is C because a signal handler
 * must not run Swift code.
 */
static inline volatile uint8_t **chost_kick_byte(void)
{
    static _Thread_local volatile uint8_t *byte; /* in a function: Swift emits no variables of a header */
    return &byte;
}
static inline void chost_set_kick_byte(uint8_t *byte) { *chost_kick_byte() = byte; }
static inline int chost_kick_signal(void) { return SIGUSR1; }
/* Lets kicks through to this thread: one that a dispatch queue's thread made has inherited a mask that blocks all. */
static inline void chost_unblock_kick(void)
{
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, chost_kick_signal());
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}
static void chost_on_kick(int signal)
{
    (void)signal;
    volatile uint8_t *byte = *chost_kick_byte();
    if (byte)
        *byte = 1;
}
static inline long chost_install_kick(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = chost_on_kick; /* no SA_RESTART: a blocking write must end */
    return chost_result(sigaction(SIGUSR1, &action, NULL));
}

/*
 * A timer that kicks the calling thread: SIGEV_THREAD_ID needs a union member that Swift does not import. Returns its id;
 * a number, because timer_t is a pointer whose value may be null.
 */
static inline long chost_create_kick_timer(void)
{
    timer_t timer;
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    return timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ? -errno : (long)(intptr_t)timer;
}
/* Zero nanoseconds disarm. */
static inline long chost_arm_timer(long timer, uint64_t nanoseconds)
{
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    when.it_value.tv_sec = (time_t)(nanoseconds / 1000000000);
    when.it_value.tv_nsec = (long)(nanoseconds % 1000000000);
    return chost_result(timer_settime((timer_t)(intptr_t)timer, 0, &when, NULL));
}

static inline void chost_delete_timer(long timer) { timer_delete((timer_t)(intptr_t)timer); }

/* sigset_t's macros do not import. The stop signals, but those that our parent wants ignored (nohup, `&` in a script). */
static inline sigset_t chost_stop_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR2, SIGALRM, SIGXCPU};
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, signals[i]);
    }
    return set;
}
/* Blocks them in this thread and all it makes; their signalfd. */
static inline long chost_open_stop_signals(void)
{
    sigset_t set = chost_stop_signals();
    int r = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (r != 0)
        return -r;
    signal(SIGPIPE, SIG_IGN); /* a console reader that is gone is an error of write, not our death */
    signal(SIGXFSZ, SIG_IGN); /* and so is a core that is larger than ulimit -f */
    return chost_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}
/* From here a stop signal ends the process, as it would any other. */
static inline void chost_release_stop_signals(void)
{
    sigset_t set = chost_stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
/* The signal that arrived, or 0. */
static inline int chost_read_signal(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

#endif
