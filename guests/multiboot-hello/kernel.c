/*
 * multiboot-hello: shows that a Multiboot kernel gets what the specification promises: the magic number, memory, a memory map,
 * its command line and modules.
 *
 * Its last word says how it ends: "fail" by status 3, "reset" through the keyboard controller, "halt" by HLT, "none" looks for
 * devices that are not there, "sse" executes what a KVM that emulates ring 0 does not know.
 */
#include "kernel.h"

struct module {
    uint32_t start, end;
    const char *text;
    uint32_t reserved;
};

struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device;
    const char *command_line;
    uint32_t module_count;
    const struct module *modules;
    uint32_t symbols[4];
    uint32_t map_length;
    const uint8_t *map;
};

void kernel(uint32_t magic, const struct information *information);

/* Whether nobody answers: not a port, nor to a string of reads, nor an address. */
static int is_alone(void)
{
    uint8_t bytes[100];
    void *place = bytes;
    uint32_t count = sizeof bytes;
    __asm__ volatile("cld; rep insb" : "+D"(place), "+c"(count) : "d"(0x1234) : "memory");
    for (uint32_t index = 0; index < sizeof bytes; index++)
        if (bytes[index] != 0xff)
            return 0;
    return in32(0x1234) == 0xffffffff && *(volatile uint32_t *)0xc8000000 == 0xffffffff;
}

static void show_map(const struct information *information)
{
    for (uint32_t offset = 0; offset < information->map_length;) {
        const uint32_t *entry = (const void *)(information->map + offset);
        if (entry[5] == 1) {
            print("memory at ");
            print_number(entry[1] >> 10);
            print(" KiB: ");
            print_number(entry[3] >> 10);
            print(" KiB\n");
        }
        offset += entry[0] + 4;
    }
}

static void show_modules(const struct information *information)
{
    for (uint32_t index = 0; index < information->module_count; index++) {
        const struct module *module = &information->modules[index];
        print(ends_with(module->text, " text") ? "module with text, " : "module, ");
        print_number(module->end - module->start);
        print(module->start % 4096 ? " bytes, not on a page\n" : " bytes\n");
        for (const char *letter = (const char *)module->start; letter < (const char *)module->end; letter++)
            put(*letter);
    }
}

void kernel(uint32_t magic, const struct information *information)
{
    print("Hello from Multiboot!\n");
    if (magic != 0x2badb002 || (information->flags & 0x4d) != 0x4d)
        end(2);
    const char *line = information->command_line;
    print(line);
    print("\n");
    show_map(information);
    show_modules(information);
    if (ends_with(line, " fail"))
        end(1);
    if (ends_with(line, " reset"))
        out8(0x64, 0xfe);
    if (ends_with(line, " halt"))
        return;
    if (ends_with(line, " none"))
        print(is_alone() ? "nobody\n" : "who?\n");
    if (ends_with(line, " sse"))
        __asm__ volatile("mov %%cr4, %%eax; or $0x200, %%eax; mov %%eax, %%cr4; pxor %%xmm0, %%xmm0" ::: "eax");
    end(0);
}
