/*
 * ring.h: making a ring, and waiting.
 */
#include "guest.h"

/* How often to look before sleeping: some 100 us, what sleeping and waking cost. */
#define LOOKS 4000

void ring_make(struct ring *ring, uint32_t entries, uint32_t vector)
{
    uint8_t *memory = allocate(SWIFTLET_RING_SIZE(entries));
    struct swiftlet_ring_setup *arguments = CALL_ARGUMENTS(struct swiftlet_ring_setup);
    *arguments = (struct swiftlet_ring_setup){.address = (uint64_t)memory, .entries = entries, .vector = vector};
    call(SWIFTLET_CALL_RING);
    *ring = (struct ring){
        .shared = (struct swiftlet_ring *)(void *)memory,
        .submissions = (struct swiftlet_ring_entry *)(void *)(memory + SWIFTLET_RING_SUBMISSIONS),
        .completions =
            (struct swiftlet_ring_completion *)(void *)(memory + SWIFTLET_RING_SUBMISSIONS + 32 * (uint64_t)entries),
        .mask = entries - 1,
        .number = arguments->ring,
    };
}

bool ring_look(struct ring *ring, struct swiftlet_ring_completion *completion)
{
    for (unsigned look = 0; look < LOOKS; look++) {
        if (ring_take(ring, completion))
            return true;
        __builtin_ia32_pause();
    }
    return false;
}

void ring_wait(struct ring *ring, struct swiftlet_ring_completion *completion)
{
    while (!ring_look(ring, completion))
        call_poll(SWIFTLET_NO_DEADLINE, SWIFTLET_POLL_RING(ring->number));
}
