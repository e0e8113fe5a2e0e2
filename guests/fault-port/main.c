/*
 * fault-port: a write to an I/O port that nobody owns is a bug of the guest; the report names the port.
 */
#include "guest.h"

#define NOBODYS_PORT 0x1234

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("writing to port 0x1234\n");
    __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(NOBODYS_PORT));
    print("went on\n");
    return 1;
}
