/*
 * One function for each call of the contract (swiftlet_calls.h): the only ways out of a guest.
 *
 * A call is one OUT with its arguments in the call page. An interrupt may come between two of these instructions and
 * its handler may make calls too: exceptions.c keeps the arguments of the interrupted one.
 */
#ifndef GUEST_CALLS_H
#define GUEST_CALLS_H

#include <stdint.h>

#include "swiftlet_abi.h"

/* The call page of the vCPU that runs this: the base of GS is its address, and the page says which. */
static inline struct swiftlet_call_page *call_page(void)
{
    struct swiftlet_call_page *page;
    __asm__("movq %%gs:%c1, %0" : "=r"(page) : "i"(SWIFTLET_CALL_PAGE_ADDRESS));
    return page;
}

/* The start of the call page, seen as the struct of one call. */
#define CALL_ARGUMENTS(type) ((type *)(void *)call_page()->arguments)

static inline void call(uint16_t number)
{
    uint16_t port = (uint16_t)(SWIFTLET_CALL_PORT + number);
    __asm__ volatile("outl %%eax, %%dx" : : "a"(0), "d"(port) : "memory");
}

_Noreturn static inline void call_exit(uint64_t status)
{
    *CALL_ARGUMENTS(struct swiftlet_exit) = (struct swiftlet_exit){.status = status};
    call(SWIFTLET_CALL_EXIT);
    __builtin_unreachable();
}

static inline void call_console_write(const void *buffer, uint64_t length)
{
    *CALL_ARGUMENTS(struct swiftlet_console_write) =
        (struct swiftlet_console_write){.buffer = (uint64_t)buffer, .length = length};
    call(SWIFTLET_CALL_CONSOLE_WRITE);
}

/* Bytes read, 0 at the end of input, or SWIFTLET_TIMED_OUT. */
static inline int64_t call_console_read(void *buffer, uint64_t length, uint64_t deadline)
{
    struct swiftlet_console_read *arguments = CALL_ARGUMENTS(struct swiftlet_console_read);
    *arguments =
        (struct swiftlet_console_read){.buffer = (uint64_t)buffer, .length = length, .deadline = deadline};
    call(SWIFTLET_CALL_CONSOLE_READ);
    return arguments->result;
}

static inline struct swiftlet_wall_time call_wall_time(void)
{
    call(SWIFTLET_CALL_WALL_TIME);
    return *CALL_ARGUMENTS(struct swiftlet_wall_time);
}

/* Which of the events are ready. */
static inline uint32_t call_poll(uint64_t deadline, uint32_t events)
{
    struct swiftlet_poll *arguments = CALL_ARGUMENTS(struct swiftlet_poll);
    *arguments = (struct swiftlet_poll){.deadline = deadline, .events = events};
    call(SWIFTLET_CALL_POLL);
    return arguments->ready;
}

static inline void call_commit(uint64_t root)
{
    *CALL_ARGUMENTS(struct swiftlet_commit) = (struct swiftlet_commit){.root = root};
    call(SWIFTLET_CALL_COMMIT);
}

static inline void call_entropy(void *buffer, uint64_t length)
{
    *CALL_ARGUMENTS(struct swiftlet_entropy) =
        (struct swiftlet_entropy){.buffer = (uint64_t)buffer, .length = length};
    call(SWIFTLET_CALL_ENTROPY);
}

static inline void call_log(uint32_t level, const char *text, uint32_t length)
{
    *CALL_ARGUMENTS(struct swiftlet_log) =
        (struct swiftlet_log){.buffer = (uint64_t)text, .length = length, .level = level};
    call(SWIFTLET_CALL_LOG);
}

/* The address is a stub's, not a C function's: exceptions.h is the way to a handler in C. */
static inline void call_handler(uint32_t vector, uint64_t address)
{
    *CALL_ARGUMENTS(struct swiftlet_handler) = (struct swiftlet_handler){.vector = vector, .address = address};
    call(SWIFTLET_CALL_HANDLER);
}

/* SWIFTLET_SNAPSHOT_...: whether one was made, and whether this guest was made from it. */
static inline int64_t call_snapshot(void)
{
    call(SWIFTLET_CALL_SNAPSHOT);
    return CALL_ARGUMENTS(struct swiftlet_snapshot)->result;
}

static inline void call_timer(uint64_t deadline, uint32_t vector)
{
    *CALL_ARGUMENTS(struct swiftlet_timer) = (struct swiftlet_timer){.deadline = deadline, .vector = vector};
    call(SWIFTLET_CALL_TIMER);
}

/* The pages read as zeros afterwards. Address and size are multiples of 4 KiB. */
static inline void call_reclaim(void *start, uint64_t size)
{
    *CALL_ARGUMENTS(struct swiftlet_reclaim) = (struct swiftlet_reclaim){.start = (uint64_t)start, .size = size};
    call(SWIFTLET_CALL_RECLAIM);
}

/* What was granted: 0 bytes when there is not as much to be had. Nothing maps it yet: mmu_map_memory does. */
static inline struct swiftlet_grow call_grow(uint64_t size)
{
    *CALL_ARGUMENTS(struct swiftlet_grow) = (struct swiftlet_grow){.size = size};
    call(SWIFTLET_CALL_GROW);
    return *CALL_ARGUMENTS(struct swiftlet_grow);
}

#endif
