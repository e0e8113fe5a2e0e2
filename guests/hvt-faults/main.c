/*
 * Shows: what no unikernel may do, one thing for each argument, ends it in words.
 *
 * Read next: expect.
 */
#include "hvt.h"

HVT_NO_DEVICES;

static const uint64_t constant[] = {1, 2};

/* In assembly: a compiler knows that some of these are no places to write to. */
static void overwrite(uint64_t address) { __asm__ volatile("movq $0, (%0)" : : "r"(address) : "memory"); }

int hvt_main(const struct hvt_boot_info *info)
{
    const char *what = info->command_line;
    struct hvt_puts puts = {0x200000, 8};
    struct hvt_block block = {1, 0, 0x200000, 512, 0};
    hvt_puts("before\n");
    if (hvt_equal(what, "null"))
        overwrite(8);
    if (hvt_equal(what, "beyond"))
        overwrite(info->memory_size);
    if (hvt_equal(what, "text"))
        overwrite((uint64_t)&hvt_main);
    if (hvt_equal(what, "rodata"))
        overwrite((uint64_t)constant);
    if (hvt_equal(what, "boot-info"))
        overwrite((uint64_t)info);
    if (hvt_equal(what, "cr0")) { /* NW without CD is #GP; what is read back then leaves ring 3 */
        uint64_t value;
        __asm__ volatile("mov %%cr0, %0; bts $29, %0; mov %0, %%cr0" : "=r"(value));
        __asm__ volatile("mov %%cr3, %0; add $0x1000, %0; mov %0, %%cr3" : "=r"(value));
    }
    if (hvt_equal(what, "port"))
        hvt_out(0x80, 0);
    if (hvt_equal(what, "call-0"))
        hvt_call(0, &puts);
    if (hvt_equal(what, "call-32"))
        hvt_call(32, &puts);
    if (hvt_equal(what, "no-disk"))
        hvt_call(HVT_BLOCK_READ, &block);
    if (hvt_equal(what, "struct"))
        hvt_out(0x501, 0xfffffffc);
    if (hvt_equal(what, "struct-in-text"))
        hvt_call(HVT_WALLTIME, (void *)&hvt_main);
    if (hvt_equal(what, "buffer")) {
        puts.data = info->memory_size - 8;
        puts.length = 9;
        hvt_call(HVT_PUTS, &puts);
    }
    if (hvt_equal(what, "overflow")) {
        puts.length = ~0ull;
        hvt_call(HVT_PUTS, &puts);
    }
    if (hvt_equal(what, "cookie")) {
        struct hvt_halt halt = {info->memory_size - 8, 0};
        hvt_call(HVT_HALT, &halt);
    }
    return 3;
}
