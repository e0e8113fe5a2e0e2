/*
 * fault-page-tables: a guest that wrecks its page tables and has that take effect is stopped with a report, and never
 * hangs. Not even the machine's fault handlers are mapped then, so the fetch of the next instruction ends in a triple
 * fault: at the commit, or on a KVM that sees the edit before that, at the edit.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    print("wrecking the page tables\n");
    memset((void *)boot->page_table_root, 0xff, PAGE_SIZE);
    mmu_commit();
    return 1;
}
