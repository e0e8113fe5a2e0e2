/*
 * What guest memory in a file needs of the host beyond Swift's view: memfd_create, fallocate, and SIGBUS.
 *
 * An ordinary start (anonymous memory) calls nothing of this. Functions return their result or -errno.
 * Read next: Sources/Backing/MemoryStore.swift.
 */
#ifndef CBACKING_H
#define CBACKING_H

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long cbacking_result(long r) { return r < 0 ? -errno : r; }

/* GNU extensions, which the header of this module's importers may hide: by system call. */
static inline long cbacking_memfd(int huge)
{
    unsigned flags = MFD_CLOEXEC | (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0);
    return cbacking_result(syscall(SYS_memfd_create, "swiftlet-guest", flags));
}
/* A file's bytes, by fstat itself: glibc's fstat() is newfstatat, which knows paths, so that the sandbox forbids it. */
static inline long cbacking_size(int fd)
{
    struct stat status;
    return syscall(SYS_fstat, fd, &status) < 0 ? -errno : status.st_size;
}
/* The pages read as zeros afterwards and belong to nobody. */
static inline long cbacking_punch(int fd, uint64_t offset, uint64_t size)
{
    return cbacking_result(syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size));
}
/* The same for a file, whose blocks stay reserved where its file system can do that. */
static inline long cbacking_zero(int fd, uint64_t offset, uint64_t size)
{
    return cbacking_result(syscall(SYS_fallocate, fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, size));
}
/* fcntl() and open() are variadic. */
static inline long cbacking_open(const char *path, int flags)
{
    return cbacking_result(open(path, flags | O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600));
}
static inline long cbacking_lock(int fd) { return cbacking_result(flock(fd, LOCK_EX | LOCK_NB)); }

/* Linux 5.14; not in glibc's headers before 2.35. */
static inline long cbacking_populate(void *start, uint64_t size)
{
    return cbacking_result(madvise(start, size, 23 /* MADV_POPULATE_WRITE */));
}

/* Whether a signal that stops a machine waits to be taken: they are blocked (Host/Signals). */
static inline int cbacking_stop_pending(void)
{
    sigset_t set;
    return sigpending(&set) == 0
        && (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) || sigismember(&set, SIGHUP)
            || sigismember(&set, SIGQUIT));
}

/*
 * Which pages are there: ioctl PAGEMAP_SCAN on /proc/self/pagemap (Linux 6.7, Documentation/admin-guide/mm/pagemap.rst),
 * by numbers, because headers of 6.1 lack it. Fills up to count runs of pages that are present, each with its categories,
 * from start on; start is moved behind them. Runs found, or -errno.
 */
#define CBACKING_PAGE_FILE 0x4u
#define CBACKING_PAGE_PRESENT 0x8u
#define CBACKING_PAGE_HUGE 0x40u
struct cbacking_run {
    uint64_t start, end, categories;
};
static inline long cbacking_scan(int pagemap, uint64_t *start, uint64_t end, struct cbacking_run *runs, uint64_t count)
{
    struct {
        uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
        uint64_t inverted, mask, anyof, returned;
    } scan;
    memset(&scan, 0, sizeof scan);
    scan.size = sizeof scan;
    scan.start = *start;
    scan.end = end;
    scan.vec = (uintptr_t)runs;
    scan.vec_len = count;
    scan.mask = CBACKING_PAGE_PRESENT;
    scan.returned = CBACKING_PAGE_PRESENT | CBACKING_PAGE_FILE | CBACKING_PAGE_HUGE;
    long found = cbacking_result(ioctl(pagemap, _IOWR('f', 16, scan), &scan));
    *start = scan.walk_end;
    return found;
}

/*
 * SIGBUS: a page of a mapped file is gone (the file became shorter, its disk is full or broken). The handler puts a
 * page of zeros in its place, notes that, and kicks its own thread, so that the machine ends in order: terminal
 * restored, a message, a status. Anywhere else, and sent by somebody, SIGBUS does what it did before. C, because a handler
 * must not run Swift.
 */
enum { CBACKING_WATCHES = 256 };
struct cbacking_watch {
    int taken;
    uintptr_t start, end; /* of a guest's memory in our address space */
    int lost;             /* set when a page was replaced */
};
struct cbacking_watches {
    struct cbacking_watch list[CBACKING_WATCHES];
    struct sigaction before;
};
static inline struct cbacking_watches *cbacking_watches(void)
{
    static struct cbacking_watches watches; /* in a function: Swift emits no variables of a header */
    return &watches;
}
static inline struct cbacking_watch *cbacking_find_watch(uintptr_t page)
{
    struct cbacking_watch *list = cbacking_watches()->list;
    for (int i = 0; i < CBACKING_WATCHES; i++) {
        if (page < __atomic_load_n(&list[i].end, __ATOMIC_ACQUIRE) && page >= list[i].start)
            return &list[i];
    }
    return NULL;
}
/* A handler that was there goes on with ours in place; without one the access faults again, or the signal comes again. */
static void cbacking_pass_on(int signal, siginfo_t *info, void *context)
{
    const struct sigaction *before = &cbacking_watches()->before;
    int is_sent = info->si_code <= 0; /* sigaction(2): by kill() and its kin; then si_addr is none */
    if (before->sa_flags & SA_SIGINFO)
        before->sa_sigaction(signal, info, context);
    else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN)
        before->sa_handler(signal);
    else if (before->sa_handler == SIG_DFL || !is_sent) {
        sigaction(signal, before, NULL);
        if (is_sent)
            raise(signal);
    }
}
static void cbacking_on_bus_error(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;
    struct cbacking_watch *watch = info->si_code > 0 ? cbacking_find_watch(page) : NULL;
    struct sigaction kick;
    if (!watch
        || mmap((void *)page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        cbacking_pass_on(signal, info, context);
        errno = saved;
        return;
    }
    __atomic_store_n(&watch->lost, 1, __ATOMIC_RELEASE);
    /* Host/Thread's signal, once its handler is there: without it, it would end us. */
    if (sigaction(SIGUSR1, NULL, &kick) == 0 && kick.sa_handler != SIG_DFL)
        raise(SIGUSR1);
    errno = saved;
}
/* The watch's number, or -errno: EMFILE when so many machines have memory in files. */
static inline long cbacking_watch_bus_errors(uintptr_t start, uintptr_t end)
{
    struct cbacking_watch *list = cbacking_watches()->list;
    struct sigaction action, before;
    int number = 0;
    while (number < CBACKING_WATCHES && __atomic_exchange_n(&list[number].taken, 1, __ATOMIC_ACQUIRE))
        number++;
    if (number == CBACKING_WATCHES)
        return -EMFILE;
    list[number].start = start;
    list[number].lost = 0;
    __atomic_store_n(&list[number].end, end, __ATOMIC_RELEASE);
    memset(&action, 0, sizeof action);
    action.sa_sigaction = cbacking_on_bus_error;
    action.sa_flags = SA_SIGINFO;
    if (sigaction(SIGBUS, &action, &before) == 0 && before.sa_sigaction != cbacking_on_bus_error)
        cbacking_watches()->before = before;
    return number;
}
static inline void cbacking_unwatch(long number)
{
    struct cbacking_watch *watch = &cbacking_watches()->list[number];
    __atomic_store_n(&watch->end, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&watch->taken, 0, __ATOMIC_RELEASE);
}
static inline int cbacking_lost(long number)
{
    return __atomic_load_n(&cbacking_watches()->list[number].lost, __ATOMIC_ACQUIRE);
}

#endif
