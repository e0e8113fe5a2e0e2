/*
 * The command line, and the operations by one system call each.
 *
 *     devices read|read-direct FILE call|uring OPERATIONS SAMPLES WARM-UPS   4 KiB: in order, or at random past the page cache
 *     devices send|receive call|uring OPERATIONS SAMPLES WARM-UPS            1 KiB to and from a tap
 *     devices feed INTERFACE COUNT                                           sends COUNT frames that a tap's user shall receive
 *
 * Prints a line for each sample: nanoseconds of an operation, the mean of that many. Read next: uring.c.
 */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Status 3: this host cannot do that (as Method/Attempts.swift); 125: it should have worked. */
_Noreturn void fail(const char *step)
{
    int error = errno;
    fprintf(stderr, "devices: %s: %s\n", step, strerror(error));
    exit(error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM || error == ENOENT ? 3 : 125);
}

int check(long result, const char *step)
{
    if (result < 0)
        fail(step);
    return (int)result;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t place(const struct work *work, uint64_t i)
{
    static uint64_t random = 0x9e3779b97f4a7c15; /* xorshift64 */
    if (!work->at_random)
        return i % work->blocks * BLOCK;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % work->blocks * BLOCK;
}

bool counts(const struct work *work, const uint8_t *buffer, long moved)
{
    if (moved < 0)
        fail("an operation");
    bool is_frame = work->blocks == 0 && !work->writes;
    if (is_frame && !is_ours(buffer))
        return false;
    if (moved != work->size) {
        errno = EIO;
        fail("an operation was cut short");
    }
    return true;
}

static void call_run(const struct work *work, uint64_t count)
{
    for (uint64_t done = 0; done < count;) {
        long moved = work->writes   ? write(work->fd, work->buffers, work->size)
                     : work->blocks ? pread(work->fd, work->buffers, work->size, (off_t)place(work, done))
                                    : read(work->fd, work->buffers, BLOCK);
        done += counts(work, work->buffers, moved);
    }
}

static struct work open_file(const char *path, bool direct)
{
    struct work work = {.size = BLOCK, .at_random = direct};
    struct stat status;
    work.fd = check(open(path, O_RDONLY | O_CLOEXEC | (direct ? O_DIRECT : 0)), path);
    check(fstat(work.fd, &status), path);
    work.blocks = (uint64_t)status.st_size / BLOCK;
    return work;
}

static uint64_t timed(const struct work *work, bool by_uring, uint64_t operations)
{
    uint64_t start = now();
    if (by_uring)
        uring_run(work, operations);
    else
        call_run(work, operations);
    return now() - start;
}

/* `amounts` are the last three arguments. */
static void measure(struct work work, bool by_uring, char **amounts, const char *fed)
{
    uint64_t operations = strtoull(amounts[0], NULL, 10);
    int samples = atoi(amounts[1]), warm_ups = atoi(amounts[2]);
    work.buffers = aligned_alloc(BLOCK, DEPTH * BLOCK);
    memset(work.buffers, 0, DEPTH * BLOCK);
    for (unsigned i = 0; i < DEPTH && work.writes; i++)
        make_frame(work.buffers + i * BLOCK);
    if (by_uring)
        uring_open();
    for (int sample = -warm_ups; sample < samples; sample++) {
        if (fed)
            feed(fed, (unsigned)operations);
        uint64_t nanoseconds = timed(&work, by_uring, operations);
        if (sample >= 0)
            printf("%.1f\n", (double)nanoseconds / (double)operations);
    }
}

int main(int count, char **arguments)
{
    const char *what = count > 3 ? arguments[1] : "";
    if (strcmp(what, "feed") == 0)
        return feed(arguments[2], (unsigned)atoi(arguments[3])), 0;
    bool is_tap = strcmp(what, "send") == 0 || strcmp(what, "receive") == 0;
    bool direct = strcmp(what, "read-direct") == 0;
    if ((!is_tap && !direct && strcmp(what, "read") != 0) || count != (is_tap ? 6 : 7))
        return fputs("usage: devices read|read-direct FILE|send|receive call|uring OPERATIONS SAMPLES WARM-UPS\n", stderr), 2;
    char name[16];
    struct work work = is_tap ? (struct work){.fd = open_tap(name), .writes = *what == 's', .size = FRAME}
                              : open_file(arguments[2], direct);
    measure(work, *arguments[count - 4] == 'u', arguments + count - 3, is_tap && !work.writes ? name : NULL);
    return fflush(stdout) == 0 ? 0 : 125;
}
