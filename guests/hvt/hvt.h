/*
 * Solo5's hvt interface as a unikernel sees it, in the house's own words: boot info, calls, manifest, network ring.
 *
 * Unikernels that people write use Solo5's bindings; these guests show and test the interface itself, without a library.
 * The contract is Solo5's include/hvt_abi.h, mft_abi.h and hvt_ring.h. Read next: start.S, link.ld, ../hvt-hello/main.c.
 */
#ifndef HVT_H
#define HVT_H

#include <stdint.h>

struct hvt_boot_info {
    uint64_t memory_size;     /* bytes that are the guest's */
    uint64_t kernel_end;      /* where the image ends */
    uint64_t tsc_frequency;   /* Hz */
    const char *command_line; /* ends in NUL */
    const struct hvt_manifest *manifest;
    uint32_t host_features; /* bit 0: there is a network ring */
    uint32_t guest_features;
    struct hvt_ring *ring;
};

/* The manifest: entry 0 is reserved, a device's handle is its index. */
#define HVT_BLOCK 1
#define HVT_NET 2
struct hvt_entry {
    char name[68];
    uint32_t type;
    union {
        struct {
            uint64_t capacity;
            uint16_t block_size;
        } block;
        struct {
            uint8_t mac[6];
            uint16_t mtu;
        } net;
        uint64_t words[2];
    };
    uint64_t host;
    uint8_t attached;
    uint8_t padding[7];
};
struct hvt_manifest {
    uint32_t version, entries;
    struct hvt_entry entry[];
};
_Static_assert(sizeof(struct hvt_entry) == 104, "mft_abi.h");

/* Both notes. The manifest begins 8-aligned from the note's start, so 4 bytes precede it in the descriptor. */
struct hvt_note_header {
    uint32_t name_size, descriptor_size, type;
    char name[8];
};
struct hvt_abi_note {
    struct hvt_note_header header;
    uint32_t target, version, reserved[2];
};
#define HVT_ABI_NOTE                                                                                                   \
    __attribute__((section(".note.solo5.abi"), aligned(4), used)) static const struct hvt_abi_note hvt_abi_note = {                \
        {6, 16, 0x31494241, "Solo5"}, 1, 2, {0, 0}}

/* HVT_MANIFEST({.name = "storage", .type = HVT_BLOCK}): a line for each guest; HVT_NO_DEVICES for none. */
#define HVT_MANIFEST_OF(count, ...)                                                                                    \
    HVT_ABI_NOTE;                                                                                                      \
    __attribute__((section(".note.solo5.manifest"), aligned(4), used)) static const struct {                                       \
        struct hvt_note_header header;                                                                                 \
        uint32_t padding, version, entries;                                                                            \
        struct hvt_entry entry[count];                                                                                 \
    } hvt_manifest_note = {{6, 12 + 104 * (count), 0x3154464d, "Solo5"},                                               \
                           0,                                                                                          \
                           1,                                                                                          \
                           count,                                                                                      \
                           {{.type = 0x40000000}, __VA_ARGS__}}
#define HVT_MANIFEST(...) HVT_MANIFEST_OF(2, __VA_ARGS__)
#define HVT_NO_DEVICES HVT_MANIFEST_OF(1)

/* Calls: the struct's address, below 4 GiB, goes to port 0x500 + n. */
enum { HVT_WALLTIME = 1, HVT_PUTS, HVT_POLL, HVT_BLOCK_WRITE, HVT_BLOCK_READ, HVT_NET_WRITE, HVT_NET_READ, HVT_HALT };
enum { HVT_OK, HVT_AGAIN, HVT_INVALID, HVT_UNSPECIFIED };

static inline void hvt_out(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}
static inline void hvt_call(int number, volatile void *arguments)
{
    hvt_out((uint16_t)(0x500 + number), (uint32_t)(uintptr_t)arguments);
}

struct hvt_puts {
    uint64_t data, length;
};
static inline void hvt_puts(const char *text)
{
    struct hvt_puts call = {(uint64_t)text, 0};
    while (text[call.length])
        call.length++;
    hvt_call(HVT_PUTS, &call);
}

struct hvt_walltime {
    uint64_t nanoseconds; /* since 1970 */
};
struct hvt_poll {
    uint64_t timeout, ready_set;
    int32_t result;
};
struct hvt_block {
    uint64_t handle, offset, data, length;
    int32_t result;
};
struct hvt_net {
    uint64_t handle, data, length;
    int32_t result;
};
struct hvt_halt {
    uint64_t cookie;
    int32_t status;
};
static inline void hvt_halt(int status)
{
    struct hvt_halt call = {0, status};
    for (;;)
        hvt_call(HVT_HALT, &call);
}

/* Says what does not hold, and ends with it. */
static inline void hvt_check(int holds, const char *what)
{
    if (holds)
        return;
    hvt_puts("does not hold: ");
    hvt_puts(what);
    hvt_puts("\n");
    hvt_halt(1);
}

static inline int hvt_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static inline uint64_t hvt_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* The network ring: 1,024 submissions and as many completions; indices count on for ever. */
struct hvt_submission {
    uint32_t operation, handle; /* 1 write, 2 read */
    uint64_t data;
    uint32_t length, id;
    uint64_t reserved;
};
struct hvt_completion {
    uint32_t id;
    int32_t result;
    uint32_t length, reserved;
};
struct hvt_ring {
    volatile uint32_t submitted, taken; /* written by the guest */
    uint8_t padding0[56];
    volatile uint32_t done, completed, needs_kick; /* written by the host */
    uint8_t padding1[52];
    struct hvt_submission submission[1024];
    volatile struct hvt_completion completion[1024];
};

int hvt_main(const struct hvt_boot_info *info);

#endif
