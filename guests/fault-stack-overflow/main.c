/*
 * fault-stack-overflow: a recursion without an end runs into the unmapped page under the stack, instead of
 * overwriting what lies below. The report comes although the guest's stack is used up: its gate has a stack of its
 * own.
 */
#include "guest.h"

/* Volatile and used after the call, so that the recursion is not turned into a loop. Depth 0 is out of reach. */
static uint64_t recurse(uint64_t depth)
{
    volatile uint64_t local[32];
    local[depth % 32] = depth;
    return depth == 0 ? 0 : recurse(depth + 1) + local[depth % 32];
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("recursing\n");
    return (int)recurse(1);
}
