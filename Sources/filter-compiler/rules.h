/*
 * What a running swiftlet may still ask of the kernel: the sandbox's two allow-lists. All else ends the process (SIGSYS).
 *
 * RUN is an ordinary run from its guest's first instruction on: no path, no new descriptor but by duty, no process, no
 * executable memory. FILES adds what options need that open a file or make memory later: --stats, --core, --snapshot,
 * --mem-max, --backing; Landlock holds them to the files they were given. docs/sandbox.md has the same as a table for
 * people. Compiled when Swiftlet is built. Read next: main.c, then Sources/Sandbox/Sandbox.swift.
 */
#ifndef RULES_H
#define RULES_H

#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum filter { RUN = 1, FILES = 2, BOTH = RUN | FILES };

/* A call is allowed when (argument & mask) == value; ANY when whatever its arguments are. */
struct rule {
    enum filter filters;
    const char *call;
    int argument;
    unsigned long mask, value;
};

#define ANY -1, 0, 0
#define IS(argument, value) argument, 0xffffffff, (unsigned int)(value)
#define LACKS(argument, bits) argument, bits, 0
/* The kernel looks at the low half of a request only. */
#define IOCTL(filters, request) {filters, "ioctl", IS(1, request)}

/* In the place of our process's id, which is known when the filter is loaded: no process has it (pid_max ends at 1 << 22). */
#define OWN_PROCESS 0x7fffffff

#define THREAD_FLAGS                                                                                                   \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS                    \
     | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static const struct rule rules[] = {
    /* The guest. main.c puts KVM_RUN before all others. */
    IOCTL(BOTH, KVM_RUN),
    IOCTL(BOTH, KVM_GET_REGS),       /* crash reports */
    IOCTL(BOTH, KVM_GET_SREGS),      /* CR2 for the fault-address call, CR3 for stacks and symbols */
    IOCTL(BOTH, KVM_SET_SREGS),      /* the commit call: page tables anew */
    IOCTL(BOTH, KVM_INTERRUPT),      /* the guest's timer */

    /* Console, log lines, eventfds, signalfd, image and module: on descriptors that are open already. */
    {BOTH, "read", ANY},
    {BOTH, "write", ANY},
    {BOTH, "pread64", ANY},
    {BOTH, "close", ANY},
    {BOTH, "ppoll", ANY},
    {BOTH, "newfstatat", IS(3, 0x1000)}, /* AT_EMPTY_PATH: how glibc does fstat() */
    {BOTH, "fstat", ANY},
    IOCTL(BOTH, 0x5401), /* TCGETS, TCSETS: the terminal is put back */
    IOCTL(BOTH, 0x5402),

    /* Memory: the heap and threads' stacks, the reclaim call. Never executable. */
    {BOTH, "mmap", LACKS(2, PROT_EXEC)},
    {BOTH, "mprotect", LACKS(2, PROT_EXEC)},
    {BOTH, "munmap", ANY},
    {BOTH, "mremap", ANY},
    {BOTH, "madvise", ANY},
    {BOTH, "brk", ANY},
    {BOTH, "sysinfo", ANY}, /* how much memory there is: glibc's qsort(), in the disassembler of crash reports */

    /* Threads, not processes. clone3 takes its flags from memory: it is told to be missing (main.c), and glibc then
     * takes clone. */
    {BOTH, "clone", IS(0, THREAD_FLAGS)},
    {BOTH, "set_robust_list", ANY},
    {BOTH, "rseq", ANY},
    {BOTH, "futex", ANY},
    {BOTH, "gettid", ANY},
    {BOTH, "getpid", ANY},
    {BOTH, "exit", ANY},
    {BOTH, "exit_group", ANY},
    {BOTH, "restart_syscall", ANY},

    /* Signals: kicks of our own threads, and their timers. */
    {BOTH, "rt_sigaction", ANY},
    {BOTH, "rt_sigprocmask", ANY},
    {BOTH, "rt_sigreturn", ANY},
    {BOTH, "tgkill", IS(0, OWN_PROCESS)},
    {BOTH, "timer_create", ANY},
    {BOTH, "timer_settime", ANY},
    {BOTH, "timer_delete", ANY},
    {BOTH, "getrandom", ANY},
    /* Where the vDSO has no clock: a host without a usable TSC. */
    {BOTH, "clock_gettime", ANY},

    /* Files that were given: Landlock says which. */
    {FILES, "openat", ANY},
    {FILES, "fcntl", IS(1, F_GETFD)}, /* libelf, of an image that is opened for its symbols */
    {FILES, "pwrite64", ANY},
    {FILES, "ftruncate", ANY},
    {FILES, "fallocate", ANY},
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
    IOCTL(FILES, KVM_SET_USER_MEMORY_REGION),

    /* Disks and networks; the calls that make a ring come when the guest asks for one. */
    {FILES, "fdatasync", ANY},
    {FILES, "eventfd2", IS(1, EFD_CLOEXEC | EFD_NONBLOCK)},
    {FILES, "sched_getaffinity", IS(0, 0)}, /* with one CPU a ring does not poll; malloc of many threads asks too */
    IOCTL(FILES, KVM_IOEVENTFD),            /* its doorbell */

    /* Unikernels: a vCPU that goes on in ring 0. */
    IOCTL(FILES, KVM_SET_XSAVE),
    IOCTL(FILES, KVM_SET_MSRS),
    IOCTL(FILES, KVM_SET_XCRS), /* XSETBV of one that runs in ring 3 */
    IOCTL(FILES, KVM_SET_MP_STATE),

    /* Kernels for the bare CPU: the serial port's interrupt, and whether they have halted for good. */
    IOCTL(FILES, KVM_IRQ_LINE),
    IOCTL(FILES, KVM_REGISTER_COALESCED_MMIO), /* its output */
    IOCTL(FILES, KVM_UNREGISTER_COALESCED_MMIO),
    IOCTL(FILES, KVM_GET_MP_STATE),
    IOCTL(FILES, KVM_IRQFD), /* when their driver starts a virtio device */

    /* A debugger steps, and has vector registers changed (KVM_SET_XSAVE, above). */
    IOCTL(FILES, KVM_SET_GUEST_DEBUG),

    /* Increments ask which pages were written. */
    IOCTL(FILES, KVM_GET_DIRTY_LOG),

    /* A snapshot reads the vCPU, and makes a new one to see which MSRs differ. */
    IOCTL(FILES, KVM_GET_API_VERSION),
    IOCTL(FILES, KVM_CHECK_EXTENSION),
    IOCTL(FILES, KVM_GET_VCPU_MMAP_SIZE),
    IOCTL(FILES, KVM_SET_REGS), /* before a call is repeated after a pause */
    IOCTL(FILES, KVM_CREATE_VM),
    IOCTL(FILES, KVM_CREATE_VCPU),
    IOCTL(FILES, KVM_ENABLE_CAP),
    IOCTL(FILES, KVM_GET_XSAVE),
    IOCTL(FILES, KVM_GET_XCRS),
    IOCTL(FILES, KVM_GET_DEBUGREGS),
    IOCTL(FILES, KVM_GET_VCPU_EVENTS),
    IOCTL(FILES, KVM_GET_CPUID2),
    IOCTL(FILES, KVM_SET_CPUID2),
    IOCTL(FILES, KVM_GET_MSRS),
    IOCTL(FILES, KVM_GET_MSR_INDEX_LIST),
};

#endif
