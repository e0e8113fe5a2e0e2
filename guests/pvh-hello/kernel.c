/*
 * pvh-hello: shows that a PVH kernel gets what Xen's documentation promises: start info with a memory map, a command line,
 * modules; and interrupts, by the controllers that such a machine has.
 *
 * With "echo" as its last word it sleeps in HLT until something is typed, which the serial port's interrupt tells, and
 * gives it back until the end of a line. With "random" it asks the virtio device of a machine without others for entropy, and
 * with "off" it powers off, by ACPI's tables.
 */
#include "kernel.h"

struct module {
    uint64_t address, size, text, reserved;
};

struct line {
    uint64_t address, size;
    uint32_t type, reserved;
};

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, map;
    uint32_t map_count, reserved;
};

void kernel(uint32_t nothing, const struct start_info *info);

/* As Multiboot's kernels: flat code and data by selectors 8 and 16. */
static const uint64_t descriptors[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};

static struct gate {
    uint16_t low, selector, type, high;
} gates[0x30];

struct __attribute__((packed)) table {
    uint16_t limit;
    const void *base;
};

#define SERIAL_VECTOR 0x24

static volatile int is_done;

/*
 * All registers that C may use are the interrupt's to keep. It comes only in HLT, so that the flags need not be: a KVM that
 * emulates ring 0 knows no IRET in 32-bit mode.
 */
__asm__(".globl on_serial\non_serial: pusha\ncld\ncall serial_interrupt\npopa\nlret $4\n");
void on_serial(void);
void serial_interrupt(void);

void serial_interrupt(void)
{
    /* All there is: the controllers see the line go up, not that it is. */
    while (in8(SERIAL_STATUS) & SOMETHING_CAME) {
        char letter = in8(SERIAL);
        put(letter);
        is_done |= letter == '\n';
    }
    out8(0x20, 0x20); /* end of interrupt */
}

static void take_interrupts(void)
{
    struct table gdt = {sizeof descriptors - 1, descriptors}, idt = {sizeof gates - 1, gates};
    uint32_t handler = (uint32_t)on_serial;
    gates[SERIAL_VECTOR] = (struct gate){handler, 8, 0x8e00, handler >> 16};
    __asm__ volatile("lgdt %0\nlidt %1\nljmp $8, $1f\n1:" ::"m"(gdt), "m"(idt));
    __asm__ volatile("mov %0, %%ds\nmov %0, %%es\nmov %0, %%ss" ::"r"(16));
    /* The PICs: vectors from 0x20 and 0x28, edge-triggered, cascaded, 8086 mode; only line 4 is let through. */
    out8(0x20, 0x11), out8(0xa0, 0x11);
    out8(0x21, 0x20), out8(0xa1, 0x28);
    out8(0x21, 4), out8(0xa1, 2);
    out8(0x21, 1), out8(0xa1, 1);
    out8(0x21, ~(1 << 4)), out8(0xa1, 0xff);
    out8(SERIAL + 1, 1); /* interrupt when something has come */
}

static void echo(void)
{
    take_interrupts();
    print("Type a line.\n");
    /* The instruction behind STI is still without interrupts, so that none comes between the look and HLT. */
    while (!is_done)
        __asm__ volatile("sti\nhlt\ncli" ::: "memory");
}

static void show(const struct start_info *info)
{
    const struct line *map = (const void *)(uint32_t)info->map;
    for (uint32_t index = 0; index < info->map_count; index++)
        if (map[index].type == 1) {
            print("memory at ");
            print_number(map[index].address >> 10);
            print(" KiB: ");
            print_number(map[index].size >> 10);
            print(" KiB\n");
        }
    const struct module *modules = (const void *)(uint32_t)info->modules;
    for (uint32_t index = 0; index < info->module_count; index++) {
        print("module");
        if (modules[index].text)
            put(' '), print((const char *)(uint32_t)modules[index].text);
        print(": ");
        print_number(modules[index].size);
        print(" bytes\n");
    }
}

static uint32_t word(uint32_t address) { return *(volatile uint32_t *)address; }

/* RSDP, XSDT, FADT (the first in the list), its SLEEP_CONTROL_REG: a port. SLP_TYP 5 and SLP_EN. ACPI 6.5, 4.8.3.7. */
static void power_off(uint32_t rsdp)
{
    uint32_t fadt = word(word(rsdp + 24) + 36);
    if (word(rsdp) == 0x20445352 && word(fadt) == 0x50434146)
        out8(word(fadt + 248), 5 << 2 | 1 << 5);
}

#define DEVICE 0xd0000000
#define REGISTER(offset) (*(volatile uint32_t *)(DEVICE + (offset)))

static __attribute__((aligned(4096))) struct {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
    struct { volatile uint16_t flags, count, heads[1]; } available;
    __attribute__((aligned(4))) struct { volatile uint16_t flags, count; volatile uint32_t head, length; } used;
} queue;

/* Virtio 1.2, 3.1.1 and 4.2.3: a queue of one descriptor, looked at until it is used. */
static void ask_for_entropy(void)
{
    static uint32_t bytes[8];
    if (REGISTER(0) != 0x74726976 || REGISTER(8) != 4)
        end(3);
    for (uint32_t status = 0; status < 4; status += status + 1)
        REGISTER(0x70) = status;
    REGISTER(0x24) = 1, REGISTER(0x20) = 1; /* VERSION_1 */
    REGISTER(0x70) = 11;
    queue.address = (uint32_t)bytes, queue.length = sizeof bytes, queue.flags = 2;
    REGISTER(0x38) = 1;
    REGISTER(0x80) = (uint32_t)&queue;
    REGISTER(0x90) = (uint32_t)&queue.available;
    REGISTER(0xa0) = (uint32_t)&queue.used;
    REGISTER(0x44) = 1;
    REGISTER(0x70) = 15;
    queue.available.count = 1;
    REGISTER(0x50) = 0;
    /* The read is an exit: a VMX that Bochs emulates never leaves a guest by itself that has no interrupts. */
    while (!queue.used.count)
        (void)REGISTER(0x60);
    uint32_t any = 0;
    for (int index = 0; index < 8; index++)
        any |= bytes[index];
    print("entropy: ");
    print_number(any ? queue.used.length : 0);
    print(" bytes\n");
}

void kernel(uint32_t nothing, const struct start_info *info)
{
    (void)nothing;
    print("Hello from PVH!\n");
    if (info->magic != 0x336ec578 || info->version < 1 || !info->rsdp)
        end(2);
    const char *line = (const char *)(uint32_t)info->command_line;
    print(line);
    print("\n");
    show(info);
    if (ends_with(line, "echo"))
        echo();
    if (ends_with(line, "random"))
        ask_for_entropy();
    if (ends_with(line, "off"))
        power_off((uint32_t)info->rsdp);
    if (ends_with(line, "forever")) {
        /* With interrupts on: a VMX that Bochs emulates never leaves a guest that has none. */
        take_interrupts();
        __asm__ volatile("sti");
        for (;;)
            ;
    }
    end(0);
}
