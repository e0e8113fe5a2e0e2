/*
 * fault-double: a guest's handler runs on the current stack, so that a page fault with a bad stack pointer cannot
 * reach it: pushing the frame faults again. That is a double fault, and its gate has a stack of its own to report it.
 */
#include "guest.h"

#define NOT_MAPPED 0x800 /* in page 0 */

static void never_reached(struct exception_frame *frame)
{
    (void)frame;
    print("handled\n");
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    exception_handle(VECTOR_PAGE_FAULT, never_reached);
    print("faulting without a stack\n");
    __asm__ volatile("movq %0, %%rsp; movb (%0), %%al" : : "r"((uint64_t)NOT_MAPPED) : "rax", "memory");
    print("went on\n");
    return 1;
}
