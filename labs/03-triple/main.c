/*
 * 03-triple: reads near address 0 and catches the fault. But it dies of a triple fault. Why? Task: README.md.
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
    /* Nothing of ours lies below the image: a null pointer's fields shall fault too, however large the struct. */
    mmu_unmap(0, 0x10000);
    mmu_commit();
    (void)*(volatile char *)argument_number(0, 0);
    return 1;
}
