/*
 * What a running swiftlet may still ask of the kernel: the sandbox's three allow-lists. All else ends the process (SIGSYS).
 *
 * RUN is an ordinary run from its guest's first instruction on: no path, no new descriptor but by duty, no process, no
 * executable memory. DEVICES adds what disks, networks, rings, unikernels and kernels need: still no path. FILES adds what
 * options need that open a file or make memory later: --stats, --core, --snapshot, --mem-max, --backing; Landlock holds
 * them to the files they were given. docs/sandbox.md has the same as a table for people. Compiled when Swiftlet is built.
 * Read next: main.c, then Sources/Sandbox/Sandbox.swift.
 */
#ifndef RULES_H
#define RULES_H

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* A list has all that is in those before it. */
enum filter { RUN, DEVICES, FILES };

/* A call is allowed when (argument & mask) == value; ANY when whatever its arguments are. */
struct rule {
    enum filter first; /* of the lists that have it */
    const char *call;
    int argument;
    unsigned long mask, value;
};

#define ANY -1, 0, 0
#define IS(argument, value) argument, 0xffffffff, (unsigned int)(value)
#define LACKS(argument, bits) argument, bits, 0
/* The kernel looks at the low half of a request only. */
#define IOCTL(first, request) {first, "ioctl", IS(1, request)}

/* In the place of our process's id, which is known when the filter is loaded: no process has it (pid_max ends at 1 << 22). */
#define OWN_PROCESS 0x7fffffff

#define THREAD_FLAGS                                                                                                   \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS                    \
     | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static const struct rule rules[] = {
    /* The guest. main.c puts KVM_RUN before all others. */
    IOCTL(RUN, KVM_RUN),
    IOCTL(RUN, KVM_GET_REGS),  /* crash reports */
    IOCTL(RUN, KVM_GET_SREGS), /* CR2 for the fault-address call, CR3 for stacks and symbols */
    IOCTL(RUN, KVM_SET_SREGS), /* the commit call: page tables anew */
    IOCTL(RUN, KVM_INTERRUPT), /* the guest's timer */

    /* Console, log lines, eventfds, signalfd, image and module: on descriptors that are open already. */
    {RUN, "read", ANY},
    {RUN, "write", ANY},
    {RUN, "pread64", ANY},
    {RUN, "close", ANY},
    {RUN, "ppoll", ANY},
    {RUN, "fstat", ANY},
    IOCTL(RUN, 0x5401), /* TCGETS, TCSETS: the terminal is put back */
    IOCTL(RUN, 0x5402),

    /* Memory: the heap and threads' stacks, the reclaim call. Never executable. */
    {RUN, "mmap", LACKS(2, PROT_EXEC)},
    {RUN, "mprotect", LACKS(2, PROT_EXEC)},
    {RUN, "munmap", ANY},
    {RUN, "mremap", ANY},
    {RUN, "madvise", IS(2, MADV_DONTNEED)},
    {RUN, "madvise", IS(2, MADV_HUGEPAGE)}, /* malloc, where its tunables say so */
    /* Guard pages of threads' stacks, in glibc 2.42 and up: MADV_GUARD_INSTALL, _REMOVE (Linux 6.13). */
    {RUN, "madvise", IS(2, 102)},
    {RUN, "madvise", IS(2, 103)},
    {RUN, "brk", ANY},
    {RUN, "sysinfo", ANY}, /* how much memory there is: glibc's qsort(), in the disassembler of crash reports */

    /* Threads, not processes. clone3 takes its flags from memory: it is told to be missing (main.c), and glibc then
     * takes clone. */
    {RUN, "clone", IS(0, THREAD_FLAGS)},
    {RUN, "set_robust_list", ANY},
    {RUN, "rseq", ANY},
    {RUN, "futex", ANY},
    {RUN, "gettid", ANY},
    {RUN, "getpid", ANY},
    {RUN, "exit", ANY},
    {RUN, "exit_group", ANY},
    {RUN, "restart_syscall", ANY},

    /* Signals: kicks of our own threads, and their timers. */
    {RUN, "rt_sigaction", ANY},
    {RUN, "rt_sigprocmask", ANY},
    {RUN, "rt_sigreturn", ANY},
    {RUN, "tgkill", IS(0, OWN_PROCESS)},
    {RUN, "timer_create", ANY},
    {RUN, "timer_settime", ANY},
    {RUN, "timer_delete", ANY},
    {RUN, "getrandom", ANY},
    /* Where the vDSO has no clock: a host without a usable TSC. */
    {RUN, "clock_gettime", ANY},

    /* Disks and networks; the calls that make a ring come when the guest asks for one. */
    {DEVICES, "pwrite64", ANY},
    {DEVICES, "fdatasync", ANY},
    {DEVICES, "fallocate", ANY},   /* discard */
    {DEVICES, "fcntl", IS(1, 37)}, /* F_OFD_SETLK: a disk is unlocked */
    {DEVICES, "preadv2", ANY},
    {DEVICES, "451", ANY}, /* cachestat, which libseccomp 2.5 does not know by name */
    {DEVICES, "io_uring_enter", LACKS(3, ~IORING_ENTER_GETEVENTS & 0xffffffff)}, /* of rings made before: reads and fsync */
    {DEVICES, "eventfd2", IS(1, EFD_CLOEXEC | EFD_NONBLOCK)},
    {DEVICES, "sched_getaffinity", IS(0, 0)}, /* with one CPU a ring does not poll; malloc of many threads asks too */
    {DEVICES, "sched_setaffinity", IS(0, 0)}, /* its thread stays off the guest's CPU */
    IOCTL(DEVICES, KVM_IOEVENTFD),            /* its doorbell */

    /* Unikernels: a vCPU that goes on in ring 0. */
    IOCTL(DEVICES, KVM_SET_USER_MEMORY_REGION), /* of memory that it reaches for later */
    IOCTL(DEVICES, KVM_SET_REGS),
    IOCTL(DEVICES, KVM_SET_XSAVE),
    IOCTL(DEVICES, KVM_SIGNAL_MSI), /* Xen's events */
    IOCTL(DEVICES, KVM_GET_MSRS),
    IOCTL(DEVICES, KVM_SET_MSRS),
    IOCTL(DEVICES, KVM_SET_XCRS), /* XSETBV of one that runs in ring 3 */
    IOCTL(DEVICES, KVM_SET_MP_STATE),

    /* Kernels for the bare CPU: the serial port's interrupt, and whether they have halted for good. */
    IOCTL(DEVICES, KVM_IRQ_LINE),
    IOCTL(DEVICES, KVM_REGISTER_COALESCED_MMIO), /* its output */
    IOCTL(DEVICES, KVM_UNREGISTER_COALESCED_MMIO),
    IOCTL(DEVICES, KVM_GET_MP_STATE),
    IOCTL(DEVICES, KVM_IRQFD), /* when their driver starts a virtio device */

    /* Files that were given: Landlock says which. newfstatat asks of any path. */
    {FILES, "openat", ANY},
    {FILES, "fcntl", IS(1, F_GETFD)},     /* libelf, of an image that is opened for its symbols */
    {FILES, "newfstatat", IS(3, 0x1000)}, /* how glibc does fstat(), for libelf and files' sizes */
    {FILES, "ftruncate", ANY},
    {FILES, "fstatfs", ANY}, /* posix_fallocate, where the file system cannot reserve */
    {FILES, "fsync", ANY},
    {FILES, "rename", ANY},
    {FILES, "link", ANY}, /* increments: the file before keeps a name */
    {FILES, "unlink", ANY},
    {FILES, "readlink", ANY},
    {FILES, "readlinkat", ANY},
    {FILES, "getcwd", ANY},
    IOCTL(FILES, 0xc0606610), /* PAGEMAP_SCAN: --stats counts pages */

    /* A run that is watched counts how often it waited. */
    {FILES, "getrusage", ANY},

    /* Memory that grows. */
    {FILES, "madvise", IS(2, MADV_NOHUGEPAGE)},
    {FILES, "madvise", IS(2, 23)}, /* MADV_POPULATE_WRITE */

    /* A debugger steps, and sees vector registers (KVM_GET_XSAVE, below). Its runs are watched, which opens files. */
    IOCTL(FILES, KVM_SET_GUEST_DEBUG),
    {FILES, "dup2", IS(0, 0)}, /* behind a slow motion the terminal is the guest's input again */

    /* Increments ask which pages were written. */
    IOCTL(FILES, KVM_GET_DIRTY_LOG),

    /* A snapshot reads the vCPU, and makes a new one to see which MSRs differ. */
    IOCTL(FILES, KVM_GET_API_VERSION),
    IOCTL(FILES, KVM_CHECK_EXTENSION),
    IOCTL(FILES, KVM_GET_VCPU_MMAP_SIZE),
    IOCTL(FILES, KVM_CREATE_VM),
    IOCTL(FILES, KVM_CREATE_VCPU),
    IOCTL(FILES, KVM_ENABLE_CAP),
    IOCTL(FILES, KVM_GET_XSAVE),
    IOCTL(FILES, KVM_GET_XCRS),
    IOCTL(FILES, KVM_GET_DEBUGREGS),
    IOCTL(FILES, KVM_GET_VCPU_EVENTS),
    IOCTL(FILES, KVM_GET_CPUID2),
    IOCTL(FILES, KVM_SET_CPUID2),
    IOCTL(FILES, KVM_GET_MSR_INDEX_LIST),
};

#endif
