/*
 * The twin's slots and mappings.
 *
 * As Sources/swiftlet-bench/Memory/SlotRows.swift and MapRows.swift. Read next: touch.c.
 */
#include "mapping.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* A series ends with enough samples or after 20 ms, but not before the third; the first of all is thrown away. */
#define LIMIT 20000000ul

struct series {
    int wanted, taken;
    uint64_t end;
};

static bool goes_on(const struct series *series)
{
    return series->taken < 3 || (series->taken < series->wanted && now() < series->end);
}

static void record(struct series *series, uint64_t time)
{
    if (series->end == 0)
        series->end = now() + LIMIT;
    else {
        printf("%lu\n", time);
        series->taken++;
    }
}

void measure_slot(uint64_t size, int samples, bool timing_add)
{
    struct series series = {.wanted = samples};
    int kvm = open_kvm();
    uint8_t *memory = map_small_pages(size);
    check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    while (goes_on(&series)) {
        uint64_t start = now();
        set_slot(vm, 0, TESTED, size, memory);
        uint64_t added = now() - start;
        start = now();
        set_slot(vm, 0, TESTED, 0, memory);
        uint64_t deleted = now() - start;
        record(&series, timing_add ? added : deleted);
    }
}

void measure_map(uint64_t size, int samples)
{
    struct series series = {.wanted = samples};
    int kvm = open_kvm();
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    while (goes_on(&series)) {
        uint64_t start = now();
        uint8_t *memory = map_guest(size);
        set_slot(vm, 0, TESTED, size, memory);
        uint64_t time = now() - start;
        set_slot(vm, 0, TESTED, 0, memory);
        munmap(memory, size);
        record(&series, time);
    }
}
