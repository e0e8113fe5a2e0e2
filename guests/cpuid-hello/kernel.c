/*
 * cpuid-hello: says what CPUID tells it of each leaf that its command line names in hexadecimal: EAX, EBX, ECX, EDX.
 */
#include "kernel.h"

struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device;
    const char *command_line;
};

void kernel(uint32_t magic, const struct information *information);

static void print_hex(uint32_t number)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        put("0123456789abcdef"[number >> shift & 15]);
}

static void show(uint32_t leaf)
{
    uint32_t eax = leaf, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    const uint32_t registers[] = {eax, ebx, ecx, edx};
    print_hex(leaf);
    put(':');
    for (int i = 0; i < 4; i++) {
        put(' ');
        print_hex(registers[i]);
    }
    put('\n');
}

void kernel(uint32_t magic, const struct information *information)
{
    const char *line = information->command_line;
    if (magic != 0x2badb002)
        end(2);
    while (*line && *line != ' ')
        line++;
    while (*line) {
        uint32_t leaf = 0;
        while (*line == ' ')
            line++;
        for (; *line && *line != ' '; line++)
            leaf = leaf * 16 + (uint32_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
        show(leaf);
    }
    end(0);
}
