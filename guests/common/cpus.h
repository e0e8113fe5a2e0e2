/*
 * More vCPUs: each is started once, on a stack of its own, and runs a function. How many there are is boot info's vcpu_count.
 *
 * Everything in calls.h works on all of them, for each has a call page of its own; so do print and the clock. allocate,
 * mmu_... and rings are for one at a time.
 */
#ifndef GUEST_CPUS_H
#define GUEST_CPUS_H

#include <stdint.h>

/* Starts vCPU `cpu` (1 and up). When the function returns, the vCPU sleeps for good. */
void cpu_start(unsigned cpu, void (*function)(uint64_t argument), uint64_t argument);

/* The number of the vCPU that asks. */
unsigned cpu_number(void);

#endif
