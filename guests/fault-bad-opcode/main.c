/*
 * fault-bad-opcode: an instruction that does not exist stops the machine with an invalid opcode report.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("executing ud2\n");
    __asm__ volatile("ud2");
    print("went on\n");
    return 1;
}
