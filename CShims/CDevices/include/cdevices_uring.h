/*
 * io_uring(7) for a disk: operations that the disk must be waited for, under way beside what their thread does meanwhile.
 *
 * By its three system calls, without a library. It is made for two operations, reads and fdatasync(2), and whoever holds its
 * descriptor can have it do no others. One thread uses it. Functions return their result or -errno.
 * Read next: Sources/Devices/BlockQueue.swift.
 */
#ifndef CDEVICES_URING_H
#define CDEVICES_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "cdevices.h"

struct cdevices_uring {
    int fd;
    struct io_uring_sqe *entries; /* ours to write */
    struct io_uring_cqe *answers; /* the kernel's */
    uint32_t *submitted, *taken;  /* indices that the kernel reads */
    uint32_t *answered;           /* that it writes */
    uint32_t mask, answer_mask;
    uint8_t read_flags;           /* IOSQE_... */
    uint8_t *queues;              /* the mapping of all but the entries */
    size_t queues_size, entries_size;
};

struct cdevices_answer {
    uint64_t token; /* of the operation */
    int32_t result; /* bytes, 0, or -errno */
};

/* Needs Linux 5.10. Restrictions hold once the ring is enabled, and cannot be taken back (io_uring_register(2)). */
static inline long cdevices_uring_restrict(int fd)
{
    struct io_uring_restriction allowed[] = {
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READ},
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC},
        {.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_ASYNC},
    };
    long result = cdevices_result(syscall(SYS_io_uring_register, fd, IORING_REGISTER_RESTRICTIONS, allowed, 3));
    return result < 0 ? result : cdevices_result(syscall(SYS_io_uring_register, fd, IORING_REGISTER_ENABLE_RINGS, 0, 0));
}

static inline void *cdevices_uring_map(int fd, size_t size, off_t what)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
    return start == MAP_FAILED ? NULL : start;
}

static inline void cdevices_uring_close(struct cdevices_uring *uring)
{
    if (uring->queues)
        munmap(uring->queues, uring->queues_size);
    if (uring->entries)
        munmap(uring->entries, uring->entries_size);
    close(uring->fd);
}

/* The places in the two mappings, by the offsets that the kernel has given. */
static inline long cdevices_uring_lay_out(struct cdevices_uring *uring, const struct io_uring_params *given)
{
    size_t answers_end = given->cq_off.cqes + given->cq_entries * sizeof(struct io_uring_cqe);
    size_t array_end = given->sq_off.array + given->sq_entries * sizeof(uint32_t);
    uring->queues_size = answers_end > array_end ? answers_end : array_end; /* one mapping: IORING_FEAT_SINGLE_MMAP, 5.4 */
    uring->entries_size = given->sq_entries * sizeof(struct io_uring_sqe);
    uring->queues = (uint8_t *)cdevices_uring_map(uring->fd, uring->queues_size, IORING_OFF_SQ_RING);
    uring->entries = (struct io_uring_sqe *)cdevices_uring_map(uring->fd, uring->entries_size, IORING_OFF_SQES);
    if (!uring->queues || !uring->entries)
        return -ENOMEM;
    uring->submitted = (uint32_t *)(void *)(uring->queues + given->sq_off.tail);
    uring->taken = (uint32_t *)(void *)(uring->queues + given->cq_off.head);
    uring->answered = (uint32_t *)(void *)(uring->queues + given->cq_off.tail);
    uring->answers = (struct io_uring_cqe *)(void *)(uring->queues + given->cq_off.cqes);
    uring->mask = given->sq_entries - 1;
    uring->answer_mask = given->cq_entries - 1;
    uint32_t *array = (uint32_t *)(void *)(uring->queues + given->sq_off.array);
    for (uint32_t i = 0; i < given->sq_entries; i++)
        array[i] = i;
    return 0;
}

/* pread() that does not wait for the disk (readv(2), RWF_NOWAIT); many file systems do not know it: -EOPNOTSUPP. */
static inline long cdevices_read_at_once(int fd, void *buffer, size_t size, uint64_t offset)
{
    struct iovec place = {buffer, size};
    return cdevices_result(syscall(SYS_preadv2, fd, &place, 1, offset, 0, 0x8 /* RWF_NOWAIT */));
}

/*
 * Where a read cannot say that it would wait, io_uring is told that it may (IOSQE_ASYNC): a thread of the kernel's does it. Of
 * itself it would have some of them wait in io_uring_enter(), as FUSE's, which can be polled and is always ready.
 */
static inline uint8_t cdevices_read_flags(int file)
{
    char byte;
    return cdevices_read_at_once(file, &byte, 1, 0) == -EOPNOTSUPP ? IOSQE_ASYNC : 0;
}

/* For a file. `entries`: a power of two; there is room for twice as many answers. */
static inline long cdevices_uring_open(int file, uint32_t entries, struct cdevices_uring *uring)
{
    struct io_uring_params given = {.flags = IORING_SETUP_R_DISABLED};
    memset(uring, 0, sizeof *uring);
    long fd = cdevices_result(syscall(SYS_io_uring_setup, entries, &given));
    if (fd < 0)
        return fd;
    uring->fd = (int)fd;
    uring->read_flags = cdevices_read_flags(file);
    long result = cdevices_uring_restrict(uring->fd);
    if (result == 0)
        result = cdevices_uring_lay_out(uring, &given);
    if (result < 0)
        cdevices_uring_close(uring);
    return result;
}

static inline long cdevices_uring_enter(const struct cdevices_uring *uring, unsigned submit, unsigned wait)
{
    return cdevices_result(
        syscall(SYS_io_uring_enter, uring->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0));
}

/* The release is for a kernel thread's acquire (io_uring(7)); without such a thread the call itself orders. */
static inline long cdevices_uring_submit(const struct cdevices_uring *uring, struct io_uring_sqe entry)
{
    uint32_t tail = *uring->submitted;
    uring->entries[tail & uring->mask] = entry;
    __atomic_store_n(uring->submitted, tail + 1, __ATOMIC_RELEASE);
    long taken = cdevices_uring_enter(uring, 1, 0);
    if (taken == 1)
        return 0;
    __atomic_store_n(uring->submitted, tail, __ATOMIC_RELEASE); /* it looks there in the call only */
    return taken < 0 ? taken : -EAGAIN;
}

static inline long cdevices_uring_read(
    const struct cdevices_uring *uring, int fd, void *buffer, uint32_t size, uint64_t offset, uint64_t token)
{
    struct io_uring_sqe entry;
    memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_READ;
    entry.flags = uring->read_flags;
    entry.fd = fd;
    entry.addr = (uint64_t)buffer;
    entry.len = size;
    entry.off = offset;
    entry.user_data = token;
    return cdevices_uring_submit(uring, entry);
}

static inline long cdevices_uring_flush(const struct cdevices_uring *uring, int fd, uint64_t token)
{
    struct io_uring_sqe entry;
    memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_FSYNC;
    entry.fd = fd;
    entry.fsync_flags = IORING_FSYNC_DATASYNC;
    entry.user_data = token;
    return cdevices_uring_submit(uring, entry);
}

/* Takes an answer if there is one. */
static inline int cdevices_uring_take(const struct cdevices_uring *uring, struct cdevices_answer *answer)
{
    uint32_t head = *uring->taken;
    if (head == __atomic_load_n(uring->answered, __ATOMIC_ACQUIRE))
        return 0;
    const struct io_uring_cqe *given = &uring->answers[head & uring->answer_mask];
    *answer = (struct cdevices_answer){given->user_data, given->res};
    __atomic_store_n(uring->taken, head + 1, __ATOMIC_RELEASE);
    return 1;
}

/* Until there is an answer, or a signal. */
static inline long cdevices_uring_wait(const struct cdevices_uring *uring) { return cdevices_uring_enter(uring, 0, 1); }

/* Whether all bytes are in the page cache (cachestat(2), Linux 6.5); where nobody can tell, they count as if. */
static inline int cdevices_is_cached(int fd, size_t size, uint64_t offset)
{
    struct { uint64_t offset, size; } range = {offset, size};
    struct { uint64_t cached, dirty, writeback, evicted, recently_evicted; } pages;
    if (size == 0 || syscall(451 /* SYS_cachestat */, fd, &range, &pages, 0) != 0)
        return 1;
    return pages.cached > (offset + size - 1) / 4096 - offset / 4096;
}

/*
 * What is in the page cache, from the first byte on, or -EAGAIN. File systems that cannot say whether a read would wait, as
 * tmpfs, FUSE and NFS, are asked what they have there.
 */
static inline long cdevices_read_cached(int fd, void *buffer, size_t size, uint64_t offset)
{
    long result = cdevices_read_at_once(fd, buffer, size, offset);
    if (result != -EOPNOTSUPP)
        return result;
    return cdevices_is_cached(fd, size, offset) ? cdevices_result(pread(fd, buffer, size, (off_t)offset)) : -EAGAIN;
}

#endif
