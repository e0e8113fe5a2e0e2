/*
 * fault-write-text: code is not writable. The image's text segment is mapped read and execute, by its ELF flags.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("writing to main\n");
    *(volatile uint8_t *)(uint64_t)main = 0xc3;
    print("wrote it\n");
    return 1;
}
