/*
 * The command line of the C twin of mapping, and the calls that its measurements share.
 *
 *     mapping slot-add|slot-delete|map BYTES SAMPLES WARM-UPS
 *     mapping touch CODE POPULATED SAMPLES WARM-UPS
 *
 * Read next: slots.c.
 */
#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

_Noreturn void fail(const char *step)
{
    fprintf(stderr, "mapping: %s: %s\n", step, strerror(errno));
    exit(125);
}

int check(int result, const char *step)
{
    if (result < 0)
        fail(step);
    return result;
}

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int open_kvm(void)
{
    int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        fail("KVM_GET_API_VERSION");
    return kvm;
}

int set_slot(int vm, uint32_t index, uint64_t address, uint64_t size, const void *memory)
{
    struct kvm_userspace_memory_region region = {
        .slot = index, .guest_phys_addr = address, .memory_size = size, .userspace_addr = (uint64_t)memory,
    };
    return check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

/* Address space aligned to 2 MiB: what lies before and behind is given back. */
static uint8_t *reserve(uint64_t size, int protection)
{
    uint8_t *start = mmap(NULL, size + HUGE_PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    uint64_t before = -(uint64_t)start % HUGE_PAGE;
    if (before > 0)
        munmap(start, before);
    munmap(start + before + size, HUGE_PAGE - before);
    return start + before;
}

uint8_t *map_small_pages(uint64_t size)
{
    uint8_t *start = reserve(size, PROT_NONE);
    int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (mmap(start, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
        fail("mmap");
    madvise(start, size, MADV_NOHUGEPAGE);
    return start;
}

uint8_t *map_guest(uint64_t size)
{
    uint8_t *start = reserve(size, PROT_READ | PROT_WRITE);
    if (size > HUGE_PAGE)
        madvise(start + HUGE_PAGE, size - HUGE_PAGE, MADV_HUGEPAGE);
    return start;
}

int main(int count, char **arguments)
{
    const char *what = count < 5 ? "" : arguments[1];
    uint64_t size = count < 5 ? 0 : strtoull(arguments[2], NULL, 0);
    if (strcmp(what, "touch") == 0 && count == 6)
        measure_touch(arguments[2], atoi(arguments[3]), atoi(arguments[4]), atoi(arguments[5]));
    else if (strcmp(what, "map") == 0)
        measure_map(size, atoi(arguments[3]));
    else if (strcmp(what, "slot-add") == 0 || strcmp(what, "slot-delete") == 0)
        measure_slot(size, atoi(arguments[3]), strcmp(what, "slot-add") == 0);
    else
        return fputs("usage: mapping slot-add|slot-delete|map|touch ...\n", stderr), 2;
    return fflush(stdout) == 0 ? 0 : 125;
}
