/*
 * 02-call, solved: an OUT of four bytes to port 0x500 + 35. "memory" tells the compiler that the call page changes meanwhile.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    struct swiftlet_wall_time *answer = (struct swiftlet_wall_time *)boot->call_page;
    uint16_t port = SWIFTLET_CALL_PORT + SWIFTLET_CALL_WALL_TIME;
    __asm__ volatile("outl %%eax, %%dx" : : "a"(0), "d"(port) : "memory");
    print("seconds %lu\n", (uint64_t)answer->seconds);
    return 0;
}
