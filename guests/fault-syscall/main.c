/*
 * fault-syscall: SYSCALL stops the machine with an invalid opcode report on every KVM: hardware refuses it because
 * EFER.SCE is clear, a software KVM that runs it all the same is seen through.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("executing syscall\n");
    __asm__ volatile("syscall" : : : "rcx", "r11", "memory");
    print("went on\n");
    return 1;
}
