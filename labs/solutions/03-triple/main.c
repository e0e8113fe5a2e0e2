/*
 * 03-triple, solved: what lay below the image were the IDT, the GDT and the TSS, by which the CPU delivers a fault. Page 0 is not mapped anyway.
 */
#include "guest.h"

static void on_page_fault(struct exception_frame *frame)
{
    (void)frame;
    call(SWIFTLET_CALL_FAULT_ADDRESS);
    print("caught %lu\n", CALL_ARGUMENTS(struct swiftlet_fault_address)->address);
    call_exit(0);
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    exception_handle(14, on_page_fault);
    (void)*(volatile char *)argument_number(0, 0);
    return 1;
}
