/*
 * A bump allocator over boot info's free range. Guests here live for seconds: none of them gives memory back.
 */
#include "guest.h"

static uint64_t used; /* bytes of the free range */

void *allocate(uint64_t size)
{
    uint64_t available = boot_info->free_end - boot_info->free_start - used;
    check(size <= available, "there is enough free memory (see --mem)");
    void *memory = (void *)(boot_info->free_start + used);
    used += (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    return memset(memory, 0, size);
}
