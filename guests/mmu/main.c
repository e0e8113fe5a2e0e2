/*
 * mmu: the guest's own page tables do what it writes into them. It maps, protects, unmaps, remaps, and goes to another
 * root, and proves by the faults that it catches that each edit took effect, with the right error code.
 *
 * Every page is used before it is edited, so that the TLB (or a shadow page table) knows the old state.
 */
#include "guest.h"

#define WINDOW 0x100000000000ul       /* 16 TiB: nothing is there at the start */
#define OTHER_WINDOW 0x200000000000ul /* under another entry of the root */
#define LARGE (512 * PAGE_SIZE)
#define RETURN_INSTRUCTION 0xc3

#define NOT_PRESENT PAGE_FAULT_USER
#define NOT_WRITABLE (PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE | PAGE_FAULT_USER)
#define NOT_EXECUTABLE (PAGE_FAULT_PRESENT | PAGE_FAULT_FETCH | PAGE_FAULT_USER)

static volatile uint64_t *word(uint64_t address)
{
    return (volatile uint64_t *)address;
}

static void check_map(uint64_t page)
{
    check(probe_read(WINDOW) == NOT_PRESENT, "an address that is not mapped faults");
    *word(page) = 42;
    mmu_map(WINDOW, page, PAGE_SIZE, MMU_READ);
    check(probe_read(WINDOW) == PROBE_NO_FAULT, "a new mapping needs no commit");
    check(*word(WINDOW) == 42, "a new mapping leads to its page");
    check(probe_write(WINDOW) == NOT_WRITABLE, "a mapping for reading cannot be written");
}

static void check_protect(uint64_t page)
{
    mmu_protect(WINDOW, PAGE_SIZE, MMU_WRITE);
    mmu_commit();
    check(probe_write(WINDOW) == PROBE_NO_FAULT, "a page made writable can be written");
    *word(WINDOW) = 43;
    check(*word(page) == 43, "a write through the window is seen in the page");

    mmu_protect(WINDOW, PAGE_SIZE, MMU_READ);
    mmu_commit();
    check(probe_write(WINDOW) == NOT_WRITABLE, "a page made read-only cannot be written");
    check(*word(WINDOW) == 43, "a page made read-only can be read");
}

static void check_execute(uint64_t page)
{
    *word(page) = RETURN_INSTRUCTION;
    check(probe_execute(WINDOW) == NOT_EXECUTABLE, "data cannot be executed");
    mmu_protect(WINDOW, PAGE_SIZE, MMU_EXECUTE);
    mmu_commit();
    check(probe_execute(WINDOW) == PROBE_NO_FAULT, "a page made executable can be executed");
    mmu_protect(WINDOW, PAGE_SIZE, MMU_READ);
    mmu_commit();
    check(probe_execute(WINDOW) == NOT_EXECUTABLE, "a page made data again cannot be executed");
}

static void check_remap(uint64_t page, uint64_t other)
{
    *word(page) = 1;
    *word(other) = 2;
    check(*word(WINDOW) == 1, "the window leads to the first page");
    mmu_map(WINDOW, other, PAGE_SIZE, MMU_READ);
    mmu_commit();
    check(*word(WINDOW) == 2, "the window leads to the other page after remapping");
}

static void check_unmap(void)
{
    check(probe_read(WINDOW) == PROBE_NO_FAULT, "the window is mapped still");
    mmu_unmap(WINDOW, PAGE_SIZE);
    mmu_commit();
    check(probe_read(WINDOW) == NOT_PRESENT, "an unmapped page faults");
}

/* One commit for a batch of edits, each of which must take effect. Mapped in reverse, so that no two are alike. */
static void check_many(void)
{
    enum { COUNT = 64 };
    uint64_t pages = (uint64_t)allocate(COUNT * PAGE_SIZE);
    for (uint64_t i = 0; i < COUNT; i++)
        mmu_map(WINDOW + i * PAGE_SIZE, pages + (COUNT - 1 - i) * PAGE_SIZE, PAGE_SIZE, MMU_WRITE);
    for (uint64_t i = 0; i < COUNT; i++)
        *word(WINDOW + i * PAGE_SIZE) = i;
    for (uint64_t i = 0; i < COUNT; i++)
        check(*word(pages + (COUNT - 1 - i) * PAGE_SIZE) == i, "each of many mappings leads to its page");

    for (uint64_t i = 1; i < COUNT; i += 2)
        mmu_protect(WINDOW + i * PAGE_SIZE, PAGE_SIZE, MMU_READ);
    mmu_commit();
    for (uint64_t i = 0; i < COUNT; i++)
        check(probe_write(WINDOW + i * PAGE_SIZE) == (i % 2 ? NOT_WRITABLE : PROBE_NO_FAULT),
              "every second of many pages is read-only");

    mmu_unmap(WINDOW, COUNT * PAGE_SIZE);
    mmu_commit();
    for (uint64_t i = 0; i < COUNT; i++)
        check(probe_read(WINDOW + i * PAGE_SIZE) == NOT_PRESENT, "none of many pages is mapped");
}

/* Memory beyond 2 MiB is mapped by 2 MiB leaves: one is protected whole, then a page in its middle alone. */
static void check_large(const struct swiftlet_boot_info *boot)
{
    uint64_t large = (boot->free_start + 2 * LARGE) & ~(LARGE - 1); /* beyond what allocate gives here */
    if (large + LARGE > boot->free_end)
        return; /* a small memory has none */
    uint64_t middle = large + LARGE / 2;
    check(probe_write(middle) == PROBE_NO_FAULT, "free memory can be written");

    mmu_protect(large, LARGE, MMU_READ);
    mmu_commit();
    check(probe_write(large) == NOT_WRITABLE, "a large page made read-only cannot be written at its start");
    check(probe_write(large + LARGE - 1) == NOT_WRITABLE, "a large page made read-only cannot be written at its end");

    mmu_protect(large, LARGE, MMU_WRITE);
    mmu_protect(middle, PAGE_SIZE, MMU_READ);
    mmu_commit();
    check(probe_write(middle) == NOT_WRITABLE, "a part of a large page made read-only cannot be written");
    check(probe_write(middle - 1) == PROBE_NO_FAULT, "what lies before the part can be written");
    check(probe_write(middle + PAGE_SIZE) == PROBE_NO_FAULT, "what lies behind the part can be written");
}

static void check_roots(const struct swiftlet_boot_info *boot, uint64_t page)
{
    uint64_t other_root = mmu_copy_root();
    mmu_switch_root(other_root);
    mmu_map(OTHER_WINDOW, page, PAGE_SIZE, MMU_WRITE);
    *word(OTHER_WINDOW) = 44;
    check(*word(page) == 44, "a mapping under another root leads to its page");
    mmu_switch_root(boot->page_table_root);
    check(probe_read(OTHER_WINDOW) == NOT_PRESENT, "what is mapped under another root is not under this");
    mmu_switch_root(other_root);
    check(probe_read(OTHER_WINDOW) == PROBE_NO_FAULT, "the other root has kept its mapping");
    mmu_switch_root(boot->page_table_root);
}

int main(const struct swiftlet_boot_info *boot)
{
    uint64_t page = (uint64_t)allocate(PAGE_SIZE), other = (uint64_t)allocate(PAGE_SIZE);
    check_map(page);
    check_protect(page);
    check_execute(page);
    check_remap(page, other);
    check_unmap();
    check_many();
    check_large(boot);
    check_roots(boot, page);
    print("mmu: ok\n");
    return 0;
}
