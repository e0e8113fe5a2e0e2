/*
 * Editing four-level page tables (Intel SDM vol. 3A, section 4.5) through the identity map, where a table's physical
 * address is the pointer to it.
 *
 * The VMM maps most memory by 2 MiB leaves. An edit that covers a leaf changes it in place; one that needs a part of it
 * first splits it into a table of 4 KiB leaves that say the same.
 */
#include "guest.h"

#define ENTRY_PRESENT 0x1ul
#define ENTRY_WRITABLE 0x2ul
#define ENTRY_USER 0x4ul
#define ENTRY_LARGE 0x80ul /* in the level above the last: this is a leaf of 2 MiB */
#define ENTRY_NO_EXECUTE (1ul << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ul
#define ENTRY_ACCESS (ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_USER | ENTRY_NO_EXECUTE)

#define LARGE_SIZE (512 * PAGE_SIZE)

static uint64_t current_root; /* 0 until the first use: the one from boot info */

static uint64_t root(void)
{
    return current_root != 0 ? current_root : boot_info->page_table_root;
}

/* The entry's bits but for the address. Tables allow everything: the leaf decides. */
static uint64_t leaf_bits(unsigned access)
{
    return ENTRY_PRESENT | ENTRY_USER | (access & MMU_WRITE ? ENTRY_WRITABLE : 0)
        | (access & MMU_EXECUTE ? 0 : ENTRY_NO_EXECUTE);
}

static uint64_t table_entry(uint64_t *table)
{
    return (uint64_t)table | ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_USER;
}

static void split(uint64_t *entry)
{
    uint64_t *table = allocate(PAGE_SIZE);
    for (uint64_t i = 0; i < 512; i++)
        table[i] = (*entry & ~ENTRY_LARGE) + i * PAGE_SIZE;
    *entry = table_entry(table);
}

/* The leaf entry for the address, and how much of [address, address + size) it covers. Makes what is missing. */
static uint64_t *leaf(uint64_t address, uint64_t size, uint64_t *covered)
{
    uint64_t *table = (uint64_t *)root();
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry = &table[(address >> shift) % 512];
        if ((*entry & ENTRY_PRESENT) == 0) {
            *entry = table_entry(allocate(PAGE_SIZE));
        } else if (*entry & ENTRY_LARGE) {
            *covered = LARGE_SIZE;
            if (address % LARGE_SIZE == 0 && size >= LARGE_SIZE)
                return entry;
            split(entry);
        }
        table = (uint64_t *)(*entry & ENTRY_ADDRESS);
    }
    *covered = PAGE_SIZE;
    return &table[(address >> 12) % 512];
}

void mmu_map(uint64_t address, uint64_t physical, uint64_t size, unsigned access)
{
    for (uint64_t done = 0, covered; done < size; done += covered) {
        uint64_t *entry = leaf(address + done, size - done, &covered);
        *entry = (physical + done) | leaf_bits(access) | (*entry & ENTRY_LARGE);
    }
}

void mmu_map_memory(uint64_t start, uint64_t size)
{
    for (uint64_t address = start; address < start + size; address += LARGE_SIZE) {
        uint64_t *table = (uint64_t *)root();
        for (unsigned shift = 39; shift > 21; shift -= 9) {
            uint64_t *entry = &table[(address >> shift) % 512];
            if ((*entry & ENTRY_PRESENT) == 0)
                *entry = table_entry(allocate(PAGE_SIZE));
            table = (uint64_t *)(*entry & ENTRY_ADDRESS);
        }
        table[(address >> 21) % 512] = address | leaf_bits(MMU_WRITE) | ENTRY_LARGE;
    }
}

void mmu_protect(uint64_t address, uint64_t size, unsigned access)
{
    for (uint64_t done = 0, covered; done < size; done += covered) {
        uint64_t *entry = leaf(address + done, size - done, &covered);
        if (*entry & ENTRY_PRESENT)
            *entry = (*entry & ~ENTRY_ACCESS) | leaf_bits(access);
    }
}

void mmu_unmap(uint64_t address, uint64_t size)
{
    for (uint64_t done = 0, covered; done < size; done += covered)
        *leaf(address + done, size - done, &covered) = 0;
}

void mmu_commit(void)
{
    call_commit(0);
}

uint64_t mmu_copy_root(void)
{
    return (uint64_t)memcpy(allocate(PAGE_SIZE), (void *)root(), PAGE_SIZE);
}

void mmu_switch_root(uint64_t new_root)
{
    current_root = new_root;
    call_commit(new_root);
}
