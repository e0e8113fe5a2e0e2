/*
 * io_uring(7) by its three system calls, without a library: a ring of DEPTH operations that is kept full.
 *
 * One io_uring_enter(2) submits what there is room for and waits for one answer; then all answers that are there are taken.
 * Read next: taps.c.
 */
#include "devices.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    int fd;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *answers;
    uint32_t *submitted, *taken, *answered; /* the kernel reads the first two and writes the third */
    uint32_t mask, answer_mask;
} uring;

static void *map(uint64_t size, off_t what)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring.fd, what);
    if (start == MAP_FAILED)
        fail("mmap of an io_uring");
    return start;
}

void uring_open(void)
{
    struct io_uring_params given = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN};
    uring.fd = check(syscall(SYS_io_uring_setup, DEPTH, &given), "io_uring_setup");
    uint8_t *queue = map(given.sq_off.array + DEPTH * sizeof(uint32_t), IORING_OFF_SQ_RING);
    uint8_t *answers = map(given.cq_off.cqes + given.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
    uring.entries = map(DEPTH * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    uring.answers = (struct io_uring_cqe *)(void *)(answers + given.cq_off.cqes);
    uring.submitted = (uint32_t *)(void *)(queue + given.sq_off.tail);
    uring.taken = (uint32_t *)(void *)(answers + given.cq_off.head);
    uring.answered = (uint32_t *)(void *)(answers + given.cq_off.tail);
    uring.mask = given.sq_entries - 1;
    uring.answer_mask = given.cq_entries - 1;
    uint32_t *array = (uint32_t *)(void *)(queue + given.sq_off.array);
    for (uint32_t i = 0; i < DEPTH; i++)
        array[i] = i;
}

/* Operation number i, into the buffer that is free. */
static void submit(const struct work *work, uint64_t i, uint32_t buffer)
{
    uint32_t tail = *uring.submitted;
    struct io_uring_sqe *entry = &uring.entries[tail & uring.mask];
    memset(entry, 0, sizeof *entry);
    entry->opcode = work->writes ? IORING_OP_WRITE : IORING_OP_READ;
    entry->fd = work->fd;
    entry->addr = (uint64_t)(work->buffers + (uint64_t)buffer * BLOCK);
    entry->len = work->writes ? work->size : BLOCK;
    entry->off = work->blocks ? place(work, i) : (uint64_t)-1;
    entry->user_data = buffer;
    __atomic_store_n(uring.submitted, tail + 1, __ATOMIC_RELEASE);
}

void uring_run(const struct work *work, uint64_t count)
{
    uint32_t free_buffers[DEPTH], free_count = DEPTH;
    for (uint32_t i = 0; i < DEPTH; i++)
        free_buffers[i] = i;
    for (uint64_t submitted = 0, done = 0; done < count;) {
        uint32_t fresh = 0;
        for (; free_count > 0 && submitted < count; submitted++, fresh++)
            submit(work, submitted, free_buffers[--free_count]);
        long entered = syscall(SYS_io_uring_enter, uring.fd, fresh, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        if (check(entered, "io_uring_enter") != (int)fresh) {
            errno = EIO;
            fail("io_uring_enter took fewer than it was given");
        }
        uint32_t head = *uring.taken, tail = __atomic_load_n(uring.answered, __ATOMIC_ACQUIRE);
        for (; head != tail; head++) {
            const struct io_uring_cqe *answer = &uring.answers[head & uring.answer_mask];
            uint32_t buffer = (uint32_t)answer->user_data;
            errno = answer->res < 0 ? -answer->res : 0;
            bool is_one = counts(work, work->buffers + (uint64_t)buffer * BLOCK, answer->res);
            done += is_one;
            submitted -= !is_one;
            free_buffers[free_count++] = buffer;
        }
        __atomic_store_n(uring.taken, head, __ATOMIC_RELEASE);
    }
}
