/*
 * A machine from a snapshot's file, in the order of Sources/Snapshot/Restoring.swift.
 *
 * Read next: cycle.c.
 */
#include "reset.h"

#include <stdlib.h>

/* The one section of a kind, read into `bytes`; its size. */
static uint64_t read_section(int file, const struct csnapshot_header *header, uint32_t kind, void *bytes, uint64_t room)
{
    struct csnapshot_section section;
    errno = EBADMSG;
    if (csnapshot_find(header, kind, &section) != 1 || section.size > room ||
        pread(file, bytes, section.size, (off_t)section.offset) != (ssize_t)section.size)
        fail("section");
    return section.size;
}

static uint8_t *reserve(uint64_t size)
{
    uint64_t huge = 2ul << 20;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint8_t *start = mmap(NULL, size + huge, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    start += -(uintptr_t)start & (huge - 1);
    if (size > huge)
        madvise(start + huge, size - huge, MADV_HUGEPAGE);
    return start;
}

/* Puts the file's memory there; neighbours in memory that are so in the file too are one mapping. */
static void map_file(uint8_t *memory, int file, const struct csnapshot_extent *extents, uint64_t count)
{
    for (uint64_t i = 0, next; i < count; i = next) {
        uint64_t size = extents[i].size;
        for (next = i + 1; next < count && extents[next].address == extents[i].address + size &&
                           extents[next].offset == extents[i].offset + size; next++)
            size += extents[next].size;
        errno = (int)-csnapshot_map((uintptr_t)memory + extents[i].address, size, file, extents[i].offset);
        if (errno != 0)
            fail("mmap of the file");
    }
}

static void add_slot(const struct clone *clone, uint32_t slot, uint64_t start, uint64_t end, uint32_t flags)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot, .flags = flags, .guest_phys_addr = start, .memory_size = end - start,
        .userspace_addr = (uint64_t)clone->memory + start,
    };
    check(ioctl(clone->vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

static void make_vm(struct clone *clone, bool logs)
{
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP};
    int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    clone->vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    add_slot(clone, 0, MACHINE_START, MACHINE_END, KVM_MEM_READONLY);
    add_slot(clone, 1, MEMORY_START, clone->size, logs ? KVM_MEM_LOG_DIRTY_PAGES : 0);
    check(ioctl(clone->vm, KVM_ENABLE_CAP, &split), "KVM_CAP_SPLIT_IRQCHIP");
    size_t size = (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    clone->vcpu = check(ioctl(clone->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    clone->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, clone->vcpu, 0);
    if (clone->run == MAP_FAILED)
        fail("mmap of kvm_run");
    struct csnapshot_failure failure = csnapshot_set_vcpu(clone->vcpu, &clone->state);
    errno = failure.error;
    if (errno != 0)
        fail("the vCPU's state");
}

void clone_make(struct clone *clone, const char *path, enum search search)
{
    static struct csnapshot_extent extents[65536];
    struct csnapshot_header header;
    struct csnapshot_machine machine;
    int file = check(open(path, O_RDONLY | O_CLOEXEC), path);
    errno = EBADMSG;
    if (pread(file, &header, sizeof header, 0) != sizeof header || header.magic != CSNAPSHOT_MAGIC)
        fail(path);
    read_section(file, &header, CSNAPSHOT_MACHINE, &machine, sizeof machine);
    read_section(file, &header, CSNAPSHOT_VCPU, &clone->state, sizeof clone->state);
    uint64_t count = read_section(file, &header, CSNAPSHOT_EXTENTS, extents, sizeof extents) / sizeof *extents;
    clone->size = machine.memory_size;
    clone->memory = reserve(clone->size);
    map_file(clone->memory, file, extents, count);
    if (search != NOTHING) {
        uint8_t *pristine = reserve(clone->size);
        map_file(pristine, file, extents, count);
        clone->pristine = pristine;
        clone->pagemap = check(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), "/proc/self/pagemap");
        clone->log = calloc((clone->size / PAGE + 63) / 64, sizeof *clone->log);
    }
    make_vm(clone, search == LOG);
}
