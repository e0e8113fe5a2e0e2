/*
 * The paravirtual MMU: page tables are the guest's own memory, it edits them as a kernel does, and one call makes a
 * batch of edits take effect, in the place of INVLPG and of loading CR3.
 *
 * Addresses and sizes are multiples of 4 KiB. Each function is an edit: it is sure to be seen only after mmu_commit,
 * except where it maps what was not mapped before.
 */
#ifndef GUEST_MMU_H
#define GUEST_MMU_H

#include <stdint.h>

/* What a mapping allows; every mapping allows reading. */
#define MMU_READ 0
#define MMU_WRITE 1
#define MMU_EXECUTE 2

void mmu_map(uint64_t address, uint64_t physical, uint64_t size, unsigned access);
/* New memory, as a grow call grants it: identity-mapped by 2 MiB leaves, for reading and writing. */
void mmu_map_memory(uint64_t start, uint64_t size);
void mmu_protect(uint64_t address, uint64_t size, unsigned access);
void mmu_unmap(uint64_t address, uint64_t size);
void mmu_commit(void);

/* A new root with the same mappings. The tables below it are shared: what is mapped later under a top-level entry
 * (512 GiB) that is empty now is seen under one root only. */
uint64_t mmu_copy_root(void);

/* Edits and the CPU use this root from now on. Commits. */
void mmu_switch_root(uint64_t root);

#endif
