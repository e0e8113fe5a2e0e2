/*
 * 07-multiboot, solved: Multiboot 0.6.96, 3.3 has the words: [0] flags, [2] upper memory in KiB, [4] the command line.
 */
#include "kernel.h"

void kernel(uint32_t magic, const uint32_t *information);

void kernel(uint32_t magic, const uint32_t *information)
{
    if (magic != 0x2badb002 || (information[0] & 5) != 5)
        end(2);
    print((const char *)information[4]);
    print("\n");
    print_number(information[2]);
    print(" KiB\n");
    end(0);
}
