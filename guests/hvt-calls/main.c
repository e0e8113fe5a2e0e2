/*
 * Shows: boot info says what is so, and the calls that need no device do what they should.
 *
 * Read next: ../hvt-faults/main.c, what no unikernel may do.
 */
#include "hvt.h"

HVT_NO_DEVICES;

static uint64_t zeros[512];
static uint64_t words[2] = {0x0123456789abcdef, 42};

static void check_boot_info(const struct hvt_boot_info *info)
{
    hvt_check((uint64_t)info == 0x10000, "boot info lies at 0x10000");
    hvt_check(info->memory_size % 0x200000 == 0 && info->memory_size != 0, "memory is a multiple of 2 MiB");
    hvt_check(info->kernel_end > (uint64_t)&hvt_main && info->kernel_end <= info->memory_size, "the image's end");
    hvt_check(info->tsc_frequency > 1000000, "the TSC runs at more than 1 MHz");
    hvt_check(info->host_features == 0 && info->guest_features == 0 && !info->ring, "no ring without a network");
    hvt_check(info->manifest->version == 1 && info->manifest->entries == 1, "the manifest is ours");
    hvt_check(info->manifest->entry[0].type == 0x40000000, "its first entry is reserved");
}

static void check_memory(const struct hvt_boot_info *info)
{
    uint64_t here;
    hvt_check((uint64_t)&here > info->memory_size - 0x1000, "the stack ends where memory does");
    for (unsigned i = 0; i < 512; i++)
        hvt_check(zeros[i] == 0, "variables without a value are zero");
    hvt_check(words[0] == 0x0123456789abcdef && words[1] == 42, "variables have their values");
    volatile uint64_t *middle = (uint64_t *)((info->memory_size - 0x10000) & ~4095ull);
    hvt_check(*middle == 0, "memory is zero");
    *middle = 7;
    hvt_check(*middle == 7, "memory can be written");
}

int hvt_main(const struct hvt_boot_info *info)
{
    check_boot_info(info);
    check_memory(info);

    struct hvt_walltime now = {0}, later = {0};
    hvt_call(HVT_WALLTIME, &now);
    hvt_check(now.nanoseconds > 1700000000ull * 1000000000, "it is later than 2023");

    struct hvt_poll poll = {20000000, 99, 99};
    uint64_t start = hvt_tsc();
    hvt_call(HVT_POLL, &poll);
    uint64_t cycles = hvt_tsc() - start;
    hvt_check(poll.ready_set == 0 && poll.result == 0, "nothing is ready");
    hvt_check(cycles >= info->tsc_frequency / 1000 * 19, "a poll of 20 ms takes as long by the TSC");
    hvt_call(HVT_WALLTIME, &later);
    hvt_check(later.nanoseconds > now.nanoseconds, "time goes on");

    struct hvt_poll none = {0, 99, 99};
    hvt_call(HVT_POLL, &none);
    hvt_check(none.ready_set == 0 && none.result == 0, "a poll of no time returns");

    struct hvt_puts empty = {(uint64_t)words, 0};
    hvt_call(HVT_PUTS, &empty);
    hvt_puts("hvt-calls: ok\n");
    return 0;
}
