/*
 * Shows: what a unikernel prints arrives whole and in order, in whichever ring it runs and however it prints.
 *
 * In ring 3 most lines wait in the monitor's log: docs/deprivileged.md. Arguments choose what is done to that log, by
 * somebody who knows where it lies, or to the call. Read next: expect.
 */
#include "../hvt/hvt.h"

HVT_NO_DEVICES;

#define STUBS 0x4000005000 /* of the monitor */
#define LOG 0x4000006000

static uint64_t memory_end;

/* "NNNNN" and as many dots as the number says, modulo 100: lines of every length. */
static void print_line(unsigned number)
{
    char line[128];
    unsigned length = 0;
    for (unsigned unit = 10000; unit; unit /= 10)
        line[length++] = '0' + number / unit % 10;
    for (unsigned i = 0; i < number % 100; i++)
        line[length++] = '.';
    line[length++] = '\n';
    struct hvt_puts call = {(uint64_t)line, length};
    hvt_call(HVT_PUTS, &call);
}

/* With flags that a handler must not rely on, and registers that a call leaves as they are. */
static void print_strangely(void)
{
    static const char text[] = "strangely\n";
    static struct hvt_puts call = {(uint64_t)text, sizeof text - 1};
    uint64_t flags, rbx, rcx, rsi, rdi;
    __asm__ volatile("movq $11, %%rbx; movq $12, %%rcx; movq $13, %%rsi; movq $14, %%rdi\n"
                     "pushfq; orq $0x40c01, (%%rsp); popfq\n" /* AC, OF, DF, CF */
                     "outl %%eax, %%dx\n"
                     "pushfq; popq %%rax; cld; pushfq; andl $~0x40000, (%%rsp); popfq\n"
                     : "=a"(flags), "=b"(rbx), "=c"(rcx), "=S"(rsi), "=D"(rdi)
                     : "a"((uint32_t)(uint64_t)&call), "d"(0x502)
                     : "memory", "cc");
    hvt_check((flags & 0x40c01) == 0x40c01, "a call leaves the flags");
    hvt_check(rbx == 11 && rcx == 12 && rsi == 13 && rdi == 14, "a call leaves the registers");
}

static void puts_at(uint64_t data, uint64_t length)
{
    struct hvt_puts call = {data, length};
    hvt_call(HVT_PUTS, &call);
}

static void call_at(uint64_t address)
{
    __asm__ volatile("outl %%eax, %%dx" : : "a"((uint32_t)address), "d"(0x502) : "memory");
}

static void spoil_log(uint64_t length)
{
    volatile uint64_t *log = (uint64_t *)LOG;
    hvt_puts("before\n");
    for (int i = 0; i < 8; i++) {
        log[0] = length;
        log[1] = 1;
        hvt_puts("behind\n");
    }
}

int hvt_main(const struct hvt_boot_info *info)
{
    const char *what = info->command_line;
    memory_end = info->memory_size;
    if (hvt_equal(what, "lines"))
        for (unsigned i = 0; i < 3000; i++)
            print_line(i);
    if (hvt_equal(what, "calls")) /* others in between, one of them at the port that a denied one hides */
        for (unsigned i = 0; i < 300; i++) {
            struct hvt_walltime now;
            hvt_call(HVT_WALLTIME, &now);
            print_line(i);
        }
    if (hvt_equal(what, "computing")) {
        hvt_puts("one\n");
        hvt_puts("two\n");
        for (;;)
            __asm__ volatile("pause");
    }
    if (hvt_equal(what, "strangely"))
        for (int i = 0; i < 3; i++)
            print_strangely();
    hvt_puts("first\n");
    if (hvt_equal(what, "struct-beyond"))
        call_at(memory_end - 8);
    if (hvt_equal(what, "struct-below"))
        call_at(8);
    if (hvt_equal(what, "data-beyond"))
        puts_at(memory_end - 4, 8);
    if (hvt_equal(what, "data-far"))
        puts_at(0x8000000000000000, 8);
    if (hvt_equal(what, "length"))
        puts_at((uint64_t)what, 0xfffffffffffffff0);
    if (hvt_equal(what, "long-log"))
        spoil_log(0xffffffffffffffff);
    if (hvt_equal(what, "wrapping-log"))
        spoil_log(0xfffffffffffffffe);
    if (hvt_equal(what, "monitor")) /* into the monitor's code, as if it had an exception in hand */
        __asm__ volatile("movq %0, %%rax; movq $8, %%rbx; jmp *%%rax" : : "i"(STUBS + 0x23a) : "rax", "rbx");
    if (hvt_equal(what, "reads-port"))
        __asm__ volatile("inl %%dx, %%eax" : : "d"(0x502) : "rax");
    hvt_puts("last\n");
    return 0;
}
