/*
 * The C twin of `swiftlet bench memory`: slots, mapping and first touch as a C programmer would measure them, so the floor
 * that Swiftlet's mapping is measured against.
 *
 * It makes the same system calls in the same order as Sources/swiftlet-bench/Memory, runs the same bytes as a guest, and
 * prints one sample a line, in nanoseconds. Tables and registers are those of the other twin (../twin).
 * Read next: main.c, then slots.c, touch.c.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include "twin.h"

/* Sources/Rig/RigMap.swift, guests/exits/exits.h */
#define TESTED (1ul << 30)
#define RIG_CODE 0x40000ul
#define RIG_PAGE 0x50000ul
#define RIG_STACK_TOP 0x6fff0ul
#define RIG_HOLE 0xa0000ul
#define RIG_HOLE_END 0x100000ul
#define RIG_TABLES 0x100000ul
#define RIG_SIZE 0x200000ul
#define RIG_DONE 0xf4

uint64_t now(void); /* nanoseconds */
int open_kvm(void);
int set_slot(int vm, uint32_t index, uint64_t address, uint64_t size, const void *memory);
/* Anonymous memory in small pages, aligned to 2 MiB: Sources/Host/HostMapping.swift. */
uint8_t *map_small_pages(uint64_t size);
/* Sources/GuestMemory/GuestMemory.swift. */
uint8_t *map_guest(uint64_t size);

/* slots.c */
void measure_slot(uint64_t size, int samples, bool timing_add);
void measure_map(uint64_t size, int samples);

/* touch.c */
void measure_touch(const char *code, bool populated, int samples, int warm_ups);

#endif
