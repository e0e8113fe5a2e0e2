/*
 * Masking interrupts by the two words of the call page, which stand in for the interrupt flag: setting them costs no
 * exit, and unmasking costs one only when an interrupt waits.
 */
#ifndef GUEST_INTERRUPTS_H
#define GUEST_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "calls.h"

static inline void interrupts_mask(void)
{
    __atomic_store_n(&call_page()->interrupts_masked, 1, __ATOMIC_SEQ_CST);
}

static inline bool interrupts_are_pending(void)
{
    return __atomic_load_n(&call_page()->interrupts_pending, __ATOMIC_SEQ_CST) != 0;
}

/* The order matters: the mask first, so that an interrupt that comes between the two lines is injected at once and
 * one that came before has left its mark. */
static inline void interrupts_unmask(void)
{
    __atomic_store_n(&call_page()->interrupts_masked, 0, __ATOMIC_SEQ_CST);
    if (interrupts_are_pending())
        call_poll(0, 0);
}

#endif
