/*
 * memory-map: prints what lies where, and checks that the map tells all: sorted, nothing twice, and no page of memory
 * left out but the guard page under the stack.
 */
#include "guest.h"

#define MEMORY_START 0x10000ul     /* below lie the machine's own pages */
#define HOLE_START 0xc0000000ul    /* memory beyond 3 GiB ... */
#define HOLE_END 0x100000000ul     /* ... goes on at 4 GiB */

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {"?",     "free",        "machine", "boot info", "vcpu", "image",
                                        "stack", "page tables", "module"};
    check(type >= 1 && type < sizeof names / sizeof names[0], "every type is in the contract");
    return names[type];
}

static uint64_t memory_end(uint64_t memory_size)
{
    return memory_size > HOLE_START ? memory_size + (HOLE_END - HOLE_START) : memory_size;
}

/* Where the next entry must start when one ends here. */
static uint64_t next_start(const struct swiftlet_boot_info *boot, uint64_t end)
{
    if (end < MEMORY_START)
        return MEMORY_START;
    if (end == boot->stack_bottom - PAGE_SIZE)
        return boot->stack_bottom;
    return end == HOLE_START ? HOLE_END : end;
}

int main(const struct swiftlet_boot_info *boot)
{
    const struct swiftlet_memory_range *map = (const struct swiftlet_memory_range *)boot->memory_map;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < boot->memory_map_count; i++) {
        uint64_t start = map[i].start, size = map[i].size;
        print("%016lx %016lx %s\n", start, start + size, type_name(map[i].type));
        check(size > 0 && start % PAGE_SIZE == 0 && size % PAGE_SIZE == 0, "entries are whole pages");
        if (i > 0)
            check(start == next_start(boot, map[i - 1].start + map[i - 1].size), "entries follow each other");
        if (map[i].type == SWIFTLET_MEMORY_FREE && size > largest)
            largest = size;
    }
    const struct swiftlet_memory_range *last = &map[boot->memory_map_count - 1];
    check(last->start + last->size == memory_end(boot->memory_size), "the map covers all memory");
    check(boot->free_end - boot->free_start == largest, "boot info's free range is the largest");
    print("memory-map: ok\n");
    return 0;
}
