/*
 * Shows: all of a unikernel's memory is there, zero, however it is reached first.
 *
 * In ring 3 the CPU is shown the middle of a large memory only when somebody reaches for it (docs/deprivileged.md). Arguments
 * say how that happens; then all of memory is written and read. Read next: expect.
 */
#include "../hvt/hvt.h"

HVT_NO_DEVICES;

#define MIDDLE 0x8000000UL
#define STEP 0x200000UL

static void read_first(void) { hvt_check(*(volatile uint64_t *)MIDDLE == 0, "memory is zero"); }

static void write_first(void) { *(volatile uint64_t *)MIDDLE = 0; }

static void write_vector(void) { __asm__ volatile("pxor %%xmm0, %%xmm0; movaps %%xmm0, (%0)" : : "r"(MIDDLE) : "memory"); }

/* A stack there, for a word, and for a trap with nothing on it yet. */
static void push_first(void)
{
    __asm__ volatile("movq %%rsp, %%rbx; movq %0, %%rsp; pushq $0; movq %%rbx, %%rsp" : : "r"(MIDDLE) : "rbx", "memory");
}

static void trap_first(void)
{
    __asm__ volatile("movq %%rsp, %%rbx; movq %0, %%rsp; movq %%cr0, %%rax; movq %%rbx, %%rsp" : : "r"(MIDDLE) : "rax", "rbx", "memory");
}

/* An instruction that somebody stands in for, with its operand there, across an edge of 2 MiB: a table of no descriptors. */
static void load_table_first(void) { __asm__ volatile("lidt (%0)" : : "r"(MIDDLE - 2) : "memory"); }

/* Bytes before, over and behind every edge at which the middle may begin and end. */
static void print_first(uint64_t end)
{
    for (uint64_t edge = STEP; edge < end; edge += STEP)
        for (uint64_t before = 0; before < 24; before += 6) {
            struct hvt_puts call = {edge - before, 12};
            hvt_call(HVT_PUTS, &call);
        }
    hvt_puts("\n");
}

/* The call's struct there: no bytes at address 0. */
static void call_first(void) { hvt_call(HVT_PUTS, (void *)(MIDDLE - 8)); }

/* In ring 0 from here on. */
static void leave_first(void)
{
    uint64_t root;
    __asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root) : : "memory");
}

/* Both ends of some 32 parts: the host may give 2 MiB for each of them. */
static void use_all(uint64_t start, uint64_t end)
{
    uint64_t part = ((end - start) / 32 + STEP - 1) & -STEP;
    for (uint64_t place = start; place + part <= end; place += part) {
        hvt_check(*(uint64_t *)place == 0 && *(uint64_t *)(place + part - 8) == 0, "memory is zero to its end");
        *(uint64_t *)place = place;
        *(uint64_t *)(place + part - 8) = ~place;
    }
    for (uint64_t place = start; place + part <= end; place += part)
        hvt_check(*(uint64_t *)place == place && *(uint64_t *)(place + part - 8) == ~place, "memory keeps what is written");
}

int hvt_main(const struct hvt_boot_info *info)
{
    static const struct {
        const char *name;
        void (*reach)(void);
    } ways[] = {{"read", read_first},     {"write", write_first},      {"vector", write_vector}, {"push", push_first},
                {"trap", trap_first},     {"table", load_table_first}, {"call", call_first},     {"leave", leave_first}};
    for (unsigned way = 0; way < sizeof ways / sizeof *ways; way++)
        if (hvt_equal(info->command_line, ways[way].name))
            ways[way].reach();
    if (hvt_equal(info->command_line, "print"))
        print_first(info->memory_size);
    use_all((info->kernel_end + STEP - 1) & -STEP, info->memory_size - STEP); /* the stack is there */
    hvt_puts("hvt-heap: ok\n");
    return 0;
}
