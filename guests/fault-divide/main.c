/*
 * fault-divide: dividing by zero without a handler stops the machine with a divide error report.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("dividing by zero\n");
    /* In assembly: in C this is undefined, and compilers make of it what they like. */
    uint32_t quotient = 1, remainder = 0, zero = 0;
    __asm__ volatile("divl %2" : "+a"(quotient), "+d"(remainder) : "r"(zero) : "cc");
    print("it is %u\n", quotient);
    return 1;
}
