/*
 * grow: asks for memory until there is no more, in steps as they are granted; each is zero, is memory for the CPU and for
 * calls alike, and keeps what is written. With the arguments "save" and N it says that it is ready after N grants, and again when
 * there is no more: whoever is made from either goes on as if nothing had been.
 */
#include "guest.h"

#define MARK 0x0123456789abcdeful

static uint64_t grow(uint64_t size, uint64_t *start)
{
    struct swiftlet_grow grown = call_grow(size);
    check(grown.granted % (2ul << 20) == 0 && grown.start % (2ul << 20) == 0, "2 MiB are the unit");
    if (grown.granted == 0)
        return 0;
    check(grown.granted >= size, "what is granted is enough");
    mmu_map_memory(grown.start, grown.granted);
    *start = grown.start;
    return grown.granted;
}

/* The first and last words: zero, then ours. A call writes there too. */
static void use(uint64_t start, uint64_t size)
{
    uint64_t *first = (uint64_t *)start, *last = (uint64_t *)(start + size - 8);
    check(*first == 0 && *last == 0, "new memory is zero");
    call_entropy(last, 8);
    check(*last != 0, "calls reach it");
    *first = MARK + start;
}

int main(const struct swiftlet_boot_info *boot)
{
    uint64_t until_save = argument_is(0, "save") ? argument_number(1, 1) : ~0ul;
    uint64_t total = boot->memory_size, start = 0, next = 0, first = 0, size;
    check(boot->memory_max == total || boot->memory_step >= 2ul << 20, "boot info says what may be asked for");
    check(call_grow(0).granted == 0, "nothing is asked for, nothing is granted");
    check(call_grow(boot->memory_max - total + 1).granted == 0, "more than there is is refused whole");
    check(call_grow(~0ul).granted == 0, "however much it is");
    while ((until_save-- != 0 || call_snapshot() >= 0) && (size = grow(1, &start)) != 0) {
        check(next == 0 || start == next, "steps follow each other");
        check(size <= boot->memory_step, "a byte costs no more than a step");
        use(start, size);
        first = first == 0 ? start : first;
        next = start + size;
        total += size;
    }
    check(total == boot->memory_max, "all that boot info promises is granted");
    for (uint64_t at = first; at < next; at += boot->memory_step)
        check(*(uint64_t *)at == MARK + at, "every step keeps its content");
    if (argument_is(0, "save"))
        call_snapshot();
    for (uint64_t at = first; at < next; at += boot->memory_step)
        check(*(uint64_t *)at == MARK + at, "and keeps its content");
    print("grow: %lu MiB to %lu MiB\n", boot->memory_size >> 20, total >> 20);
    return 0;
}
