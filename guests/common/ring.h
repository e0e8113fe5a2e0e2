/*
 * Rings: many operations under way at once, and no exit while the host's side is awake (swiftlet_devices.h).
 *
 * The guest's half of the protocol. Ordering: x86 keeps stores in order, so publishing needs only that the compiler does
 * too; but "publish, then look whether the host sleeps" is a store before a load, which needs a full fence.
 */
#ifndef GUEST_RING_H
#define GUEST_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "swiftlet_abi.h"

struct ring {
    struct swiftlet_ring *shared;
    struct swiftlet_ring_entry *submissions;
    struct swiftlet_ring_completion *completions;
    uint32_t mask;   /* entries - 1 */
    uint32_t number; /* for the doorbell and for poll */
    uint32_t submitted, taken;
};

/* A ring with that many entries, a power of two, in new memory; with a vector (0: none) of its interrupt. */
void ring_make(struct ring *ring, uint32_t entries, uint32_t vector);

/* Whether another operation may be submitted: each keeps its slot until its completion is taken. */
static inline bool ring_has_room(const struct ring *ring)
{
    return ring->submitted - ring->taken <= ring->mask;
}

/* Hands an operation to the host; there must be room. Follow one or several with a ring_kick. */
static inline void ring_submit(struct ring *ring, const struct swiftlet_ring_entry *entry)
{
    ring->submissions[ring->submitted & ring->mask] = *entry;
    __atomic_store_n(&ring->shared->submission_tail, ++ring->submitted, __ATOMIC_RELEASE);
}

/* Wakes the host's side if it sleeps. */
static inline void ring_kick(const struct ring *ring)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&ring->shared->needs_kick, __ATOMIC_RELAXED) != 0) {
        uint16_t port = (uint16_t)(SWIFTLET_DOORBELL_PORT + ring->number);
        __asm__ volatile("outl %%eax, %%dx" : : "a"(0), "d"(port) : "memory");
    }
}

/* Takes a completion if there is one. */
static inline bool ring_take(struct ring *ring, struct swiftlet_ring_completion *completion)
{
    if (__atomic_load_n(&ring->shared->completion_tail, __ATOMIC_ACQUIRE) == ring->taken)
        return false;
    *completion = ring->completions[ring->taken & ring->mask];
    __atomic_store_n(&ring->shared->completion_head, ++ring->taken, __ATOMIC_RELEASE);
    return true;
}

/*
 * Whether the next completions make the ring's interrupt. Take what is there behind switching it on: a completion may have
 * come just before.
 */
static inline void ring_interrupts(struct ring *ring, bool on)
{
    __atomic_store_n(&ring->shared->wants_interrupt, on, __ATOMIC_SEQ_CST);
}

/* Takes a completion that comes within a while: false is the time to sleep. */
bool ring_look(struct ring *ring, struct swiftlet_ring_completion *completion);

/* Waits for a completion and takes it: looks for a while, then sleeps in a poll call. */
void ring_wait(struct ring *ring, struct swiftlet_ring_completion *completion);

#endif
