/*
 * The snapshot file's layout, and what of saving and restoring Swift cannot say: KVM's state structs, CRC32C, SIGBUS.
 *
 * Everything in a file is little-endian and lies where its header's section table says (docs/snapshots.md). The structs
 * of KVM are the kernel's ABI and never change. Functions return their result or -errno.
 * Read next: Sources/Snapshot/Snapshot.swift.
 */
#ifndef CSNAPSHOT_H
#define CSNAPSHOT_H

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CSNAPSHOT_MAGIC 0x50414e5354464c53ul /* "SLFTSNAP" read as a little-endian word */
#define CSNAPSHOT_FORMAT 2 /* of what a reader of format 1 would misunderstand; all else is still written as 1 */
#define CSNAPSHOT_PLAIN 1
#define CSNAPSHOT_SECTIONS 16
#define CSNAPSHOT_OPTIONAL 0x80000000u /* of a section's kind: a reader that does not know it may pass it over */
#define CSNAPSHOT_MACHINE 1
#define CSNAPSHOT_VCPU 2
#define CSNAPSHOT_IMAGE 3 /* the image's path */
#define CSNAPSHOT_EXTENTS 4
#define CSNAPSHOT_GROWTH 5 /* of memory that may grow, or has */
#define CSNAPSHOT_PARENT 6 /* the snapshot that this one was written on top of */
#define CSNAPSHOT_OTHERS 7 /* the vCPUs beside the first, each a struct csnapshot_other and a vCPU's state */
#define CSNAPSHOT_IDENTITY 0x80000001u /* 16 random bytes, by which a child knows its parent */
#define CSNAPSHOT_EXTENT_MAX 0x100000 /* bytes: what one checksum covers */

struct csnapshot_section {
    uint32_t kind;     /* CSNAPSHOT_... */
    uint32_t checksum; /* CRC32C of its bytes */
    uint64_t offset;   /* in the file */
    uint64_t size;     /* bytes */
};

/* At offset 0, alone on its page. */
struct csnapshot_header {
    uint64_t magic;
    uint32_t format;    /* CSNAPSHOT_FORMAT: a reader refuses a newer one */
    uint32_t checksum;  /* CRC32C of this struct with 0 here */
    uint64_t file_size; /* bytes, from the first to the last */
    uint64_t created;   /* seconds since 1970 */
    uint64_t program[4]; /* who wrote it, as text: "swiftlet 0.1.0" */
    uint32_t section_count;
    uint32_t reserved;
    struct csnapshot_section sections[CSNAPSHOT_SECTIONS];
};
_Static_assert(sizeof(struct csnapshot_header) == 72 + 24 * CSNAPSHOT_SECTIONS, "part of the format");

/*
 * A range of memory that is not all zero: page-aligned, ascending, disjoint. What is in none of them is zero, or as the
 * parent has it; with an offset of 0, which only a file with a parent has, it is zero whatever the parent has.
 */
struct csnapshot_extent {
    uint64_t address; /* guest-physical */
    uint64_t offset;  /* in the file, page-aligned */
    uint32_t size;    /* bytes, at most CSNAPSHOT_EXTENT_MAX */
    uint32_t checksum; /* CRC32C, looked at with --verify */
};
_Static_assert(sizeof(struct csnapshot_extent) == 24, "part of the format");

/* What the VMM knows of its guest. */
struct csnapshot_machine {
    uint32_t abi_version;
    uint32_t vcpu_count;
    uint64_t memory_size;
    uint64_t image_start, image_end, stack_start, stack_end, tables_start, tables_end, module_start, module_end;
    uint64_t bias;                       /* of the image */
    uint64_t image_size, image_modified; /* of its file, to know it again */
    uint64_t clock;                      /* ns */
    uint64_t timer_deadline;             /* ns of that clock; all ones: not armed */
    uint32_t timer_vector;
    uint32_t waiting_vector; /* an interrupt that KVM had and the guest had not; 0: none */
    uint64_t handled[4];     /* which vectors have a handler, bit by bit */
    uint32_t features[8];    /* leaf 1 ECX, EDX; leaf 7 EBX, ECX, EDX; leaf 0x80000001 ECX, EDX; 0 */
    uint64_t xcr0;
    uint32_t maker[4]; /* of the CPU: leaf 0 EBX, EDX, ECX: "AuthenticAMD"; 0 */
};
_Static_assert(sizeof(struct csnapshot_machine) == 216, "part of the format");

/* Bytes. */
struct csnapshot_growth {
    uint64_t maximum; /* what grow calls may bring memory to in all */
    uint64_t step;    /* what one adds at least, as boot info says */
    uint64_t end;     /* guest-physical, of the memory that is there */
    uint64_t reserved;
};
_Static_assert(sizeof(struct csnapshot_growth) == 32, "part of the format");

#define CSNAPSHOT_DEPTH_MAX 64
struct csnapshot_identity {
    uint64_t words[2];
};
/* Behind it, to the section's end: the file's name, in the folder of the child. */
struct csnapshot_parent {
    struct csnapshot_identity identity;
    uint64_t file_size;
    uint32_t checksum; /* of its header, which has those of all else in it */
    uint32_t depth;    /* files below the child, at most CSNAPSHOT_DEPTH_MAX */
};
_Static_assert(sizeof(struct csnapshot_parent) == 32, "part of the format");

/* Of a vCPU that is not the first. */
struct csnapshot_other {
    uint64_t timer_deadline; /* as the machine's */
    uint32_t timer_vector;
    uint32_t waiting_vector;
    uint32_t is_started;
    uint32_t reserved;
};
_Static_assert(sizeof(struct csnapshot_other) == 24, "part of the format");

#define CSNAPSHOT_CPUID_MAX 100
#define CSNAPSHOT_MSR_MAX 64
struct csnapshot_cpuid {
    uint32_t count, padding;
    struct kvm_cpuid_entry2 entries[CSNAPSHOT_CPUID_MAX];
};
struct csnapshot_msrs {
    uint32_t count, padding;
    struct kvm_msr_entry entries[CSNAPSHOT_MSR_MAX];
};
/* As many as a KVM may list: not in the file. */
#define CSNAPSHOT_ALL_MSRS 1024
struct csnapshot_all_msrs {
    uint32_t count, padding;
    struct kvm_msr_entry entries[CSNAPSHOT_ALL_MSRS];
};

/* Everything that KVM knows of a vCPU. */
struct csnapshot_vcpu {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_debugregs debugregs;
    struct kvm_vcpu_events events;
    struct kvm_mp_state mp_state;
    uint32_t padding;
    uint64_t xcr0;
    uint64_t xsave[512]; /* struct kvm_xsave 4 KiB: x87 to AVX-512; wider state (AMX) needs a permission that we never ask for */
    struct csnapshot_cpuid cpuid;
    struct csnapshot_msrs msrs; /* those that differ from a new vCPU's */
};
_Static_assert(sizeof(struct kvm_xsave) == 4096, "without its flexible array");

/* Swift sees it as so many bytes: it would copy a struct of two thousand fields one by one. */
static inline uint64_t csnapshot_vcpu_size(void) { return sizeof(struct csnapshot_vcpu); }
static inline int csnapshot_vcpu_makes_sense(const void *bytes)
{
    const struct csnapshot_vcpu *s = bytes;
    return s->cpuid.count <= CSNAPSHOT_CPUID_MAX && s->msrs.count <= CSNAPSHOT_MSR_MAX;
}

static inline uint64_t csnapshot_vcpu_root(const void *bytes) { return ((const struct csnapshot_vcpu *)bytes)->sregs.cr3; }
static inline uint64_t csnapshot_vcpu_rip(const void *bytes) { return ((const struct csnapshot_vcpu *)bytes)->regs.rip; }

/* Which request failed: the number of the step, for a name (VCPUImage.swift). */
struct csnapshot_failure {
    int32_t step;
    int32_t error; /* errno, 0: none failed */
};
#define CSNAPSHOT_STEP(number, fd, request, argument) \
    do { \
        if (ioctl(fd, request, argument) < 0) \
            return (struct csnapshot_failure){number, errno}; \
    } while (0)

static inline struct csnapshot_failure csnapshot_get_vcpu(int vcpu, void *bytes)
{
    struct csnapshot_vcpu *s = bytes;
    struct kvm_xcrs xcrs = {0};
    memset(s, 0, sizeof *s);
    s->cpuid.count = CSNAPSHOT_CPUID_MAX;
    CSNAPSHOT_STEP(1, vcpu, KVM_GET_REGS, &s->regs);
    CSNAPSHOT_STEP(2, vcpu, KVM_GET_SREGS, &s->sregs);
    CSNAPSHOT_STEP(3, vcpu, KVM_GET_XSAVE, &s->xsave);
    CSNAPSHOT_STEP(4, vcpu, KVM_GET_XCRS, &xcrs);
    CSNAPSHOT_STEP(5, vcpu, KVM_GET_DEBUGREGS, &s->debugregs);
    CSNAPSHOT_STEP(6, vcpu, KVM_GET_VCPU_EVENTS, &s->events);
    CSNAPSHOT_STEP(7, vcpu, KVM_GET_MP_STATE, &s->mp_state);
    CSNAPSHOT_STEP(8, vcpu, KVM_GET_CPUID2, &s->cpuid);
    s->xcr0 = xcrs.nr_xcrs > 0 ? xcrs.xcrs[0].value : 0;
    return (struct csnapshot_failure){0, 0};
}

/* What is as in a new vCPU is not set: each request costs 6 us on a software KVM. */
static inline struct csnapshot_failure csnapshot_set_vcpu(int vcpu, const void *bytes)
{
    const struct csnapshot_vcpu *s = bytes;
    struct kvm_xcrs xcrs = {.nr_xcrs = 1};
    struct kvm_debugregs debugregs = {.dr6 = 0xffff0ff0, .dr7 = 0x400};
    struct kvm_vcpu_events events = s->events;
    xcrs.xcrs[0].value = s->xcr0;
    CSNAPSHOT_STEP(9, vcpu, KVM_SET_CPUID2, &s->cpuid);
    CSNAPSHOT_STEP(10, vcpu, KVM_SET_SREGS, &s->sregs);
    if (s->xcr0 != 0)
        CSNAPSHOT_STEP(11, vcpu, KVM_SET_XCRS, &xcrs);
    CSNAPSHOT_STEP(12, vcpu, KVM_SET_XSAVE, &s->xsave);
    if (s->msrs.count > 0 && ioctl(vcpu, KVM_SET_MSRS, &s->msrs) != (int)s->msrs.count)
        return (struct csnapshot_failure){13, errno == 0 ? EINVAL : errno};
    CSNAPSHOT_STEP(14, vcpu, KVM_SET_REGS, &s->regs); /* clears a pending exception: before the events */
    if (memcmp(&debugregs, &s->debugregs, sizeof debugregs) != 0)
        CSNAPSHOT_STEP(15, vcpu, KVM_SET_DEBUGREGS, &s->debugregs);
    events.flags &= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_PAYLOAD;
    if (s->events.exception.injected || s->events.exception.pending || s->events.interrupt.injected ||
        s->events.interrupt.shadow || s->events.nmi.injected || s->events.nmi.pending || s->events.nmi.masked)
        CSNAPSHOT_STEP(16, vcpu, KVM_SET_VCPU_EVENTS, &events);
    if (s->mp_state.mp_state != KVM_MP_STATE_RUNNABLE)
        CSNAPSHOT_STEP(17, vcpu, KVM_SET_MP_STATE, &s->mp_state);
    return (struct csnapshot_failure){0, 0};
}

static inline struct csnapshot_failure csnapshot_set_cpuid(int vcpu, const void *bytes)
{
    const struct csnapshot_vcpu *s = bytes;
    CSNAPSHOT_STEP(9, vcpu, KVM_SET_CPUID2, &s->cpuid);
    return (struct csnapshot_failure){0, 0};
}

/* MSRs that say what time it is: the clock is restored by itself (docs/snapshots.md), these are not. */
static inline int csnapshot_is_time(uint32_t msr)
{
    return msr == 0x10 || msr == 0x11 || msr == 0x12 || msr == 0x3b || msr == 0xe7 || msr == 0xe8 || msr == 0x6e0 ||
           (msr >= 0x4b564d00 && msr <= 0x4b564dff) || (msr >= 0x40000000 && msr <= 0x400001ff);
}

/* The values of all MSRs that KVM lists, but those of time and those that it does not give. */
static inline struct csnapshot_failure csnapshot_get_msrs(int kvm, int vcpu, struct csnapshot_all_msrs *msrs)
{
    struct { uint32_t count; uint32_t index[CSNAPSHOT_ALL_MSRS]; } list = {.count = CSNAPSHOT_ALL_MSRS};
    CSNAPSHOT_STEP(18, kvm, KVM_GET_MSR_INDEX_LIST, &list);
    msrs->count = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        struct { uint32_t count, padding; struct kvm_msr_entry entry; } one = {1, 0, {.index = list.index[i]}};
        if (!csnapshot_is_time(list.index[i]) && ioctl(vcpu, KVM_GET_MSRS, &one) == 1)
            msrs->entries[msrs->count++] = one.entry;
    }
    return (struct csnapshot_failure){0, 0};
}

/* Of `all` those that a new vCPU has otherwise; -1: there are too many. */
static inline int csnapshot_changed_msrs(
    const struct csnapshot_all_msrs *all, const struct csnapshot_all_msrs *fresh, struct csnapshot_msrs *changed)
{
    changed->count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct kvm_msr_entry *entry = &all->entries[i];
        /* Both lists are KVM's, in its order; a value that only one vCPU gives away shifts the other's. */
        int alike = 0;
        for (uint32_t j = 0; j < fresh->count && !alike; j++)
            alike = fresh->entries[j].index == entry->index && fresh->entries[j].data == entry->data;
        if (alike)
            continue;
        if (changed->count == CSNAPSHOT_MSR_MAX)
            return -1;
        changed->entries[changed->count++] = *entry;
    }
    return 0;
}

static inline struct csnapshot_failure csnapshot_get_changed_msrs(int kvm, int vcpu, int new_vcpu, void *bytes)
{
    struct csnapshot_msrs *changed = &((struct csnapshot_vcpu *)bytes)->msrs;
    struct csnapshot_all_msrs all, fresh;
    struct csnapshot_failure failure = csnapshot_get_msrs(kvm, vcpu, &all);
    if (failure.error == 0)
        failure = csnapshot_get_msrs(kvm, new_vcpu, &fresh);
    if (failure.error == 0 && csnapshot_changed_msrs(&all, &fresh, changed) < 0)
        failure = (struct csnapshot_failure){18, E2BIG};
    return failure;
}

/* The next section of the table; 0: it is full. */
static inline int csnapshot_add(struct csnapshot_header *header, struct csnapshot_section section)
{
    if (header->section_count >= CSNAPSHOT_SECTIONS)
        return 0;
    header->sections[header->section_count++] = section;
    return 1;
}

/* How many sections of a kind there are; the last of them. */
static inline int csnapshot_find(const struct csnapshot_header *header, uint32_t kind, struct csnapshot_section *found)
{
    int count = 0;
    for (uint32_t i = 0; i < header->section_count && i < CSNAPSHOT_SECTIONS; i++)
        if (header->sections[i].kind == kind) {
            *found = header->sections[i];
            count++;
        }
    return count;
}
/* Whether there is a section that a reader of this format must know and does not. */
static inline int csnapshot_has_unknown(const struct csnapshot_header *header)
{
    for (uint32_t i = 0; i < header->section_count && i < CSNAPSHOT_SECTIONS; i++)
        if (header->sections[i].kind - 1 >= CSNAPSHOT_OTHERS && !(header->sections[i].kind & CSNAPSHOT_OPTIONAL))
            return 1;
    return 0;
}

/* CRC32C by the CPU's own instruction (SSE4.2, in every CPU that swiftlet's snapshots are for): 8 GB/s. */
__attribute__((target("sse4.2"))) static inline uint32_t csnapshot_crc32c(const void *start, uint64_t size)
{
    const uint8_t *byte = start;
    uint64_t crc = 0xffffffff;
    for (; size >= 8; size -= 8, byte += 8) {
        uint64_t word;
        memcpy(&word, byte, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; size > 0; size--)
        crc = __builtin_ia32_crc32qi((uint32_t)crc, *byte++);
    return ~(uint32_t)crc;
}

/* Copy-on-write: what is written stays in this process. */
static inline long csnapshot_map(uintptr_t at, uint64_t size, int file, uint64_t offset)
{
    void *place = mmap((void *)at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, (off_t)offset);
    return place == MAP_FAILED ? -errno : 0;
}

/* Zeros in the place of what a parent has there. */
static inline long csnapshot_map_zeros(uintptr_t at, uint64_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    return mmap((void *)at, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

/* open() is variadic. For us alone: a snapshot holds all that its guest knew. */
static inline long csnapshot_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

/*
 * A file that became shorter is a SIGBUS wherever we touch what was mapped from it. The handler says so in words that
 * were put together before, and ends the process as an error of ours ends it. It is C because a signal handler must not
 * run Swift code. KVM itself sees the same as EFAULT.
 */
struct csnapshot_words {
    uint64_t length;
    char text[512];
};
static inline struct csnapshot_words *csnapshot_last_words(void)
{
    static struct csnapshot_words words; /* in a function: Swift emits no variables of a header */
    return &words;
}
static void csnapshot_on_bus_error(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code <= 0) { /* sigaction(2): somebody has sent it, and no page is gone */
        struct sigaction end = {.sa_handler = SIG_DFL};
        sigaction(signal, &end, NULL);
        raise(signal);
        return;
    }
    const struct csnapshot_words *words = csnapshot_last_words();
    ssize_t written = write(2, words->text, words->length);
    (void)written;
    _exit(125);
}
/* The path is the user's: it must not drive a terminal. Without snprintf, whose first call takes a restore 10 us. */
static inline void csnapshot_add_words(struct csnapshot_words *words, const char *text, uint64_t most)
{
    for (uint64_t i = 0; i < most && text[i] != 0 && words->length + 1 < sizeof words->text; i++) {
        unsigned char byte = (unsigned char)text[i];
        words->text[words->length++] = byte < 0x20 || byte == 0x7f ? '?' : text[i];
    }
}
static inline long csnapshot_guard(const char *path)
{
    struct sigaction action;
    struct csnapshot_words *words = csnapshot_last_words();
    words->length = 0;
    csnapshot_add_words(words, "swiftlet: ", 384);
    csnapshot_add_words(words, path, 384);
    csnapshot_add_words(words, ": the snapshot became shorter while it was in use: its guest is lost", 384);
    words->text[words->length++] = '\n';
    memset(&action, 0, sizeof action);
    action.sa_sigaction = csnapshot_on_bus_error;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

#endif
