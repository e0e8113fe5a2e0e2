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

/* The first of a series is thrown away. */
static void record(int turn, uint64_t time)
{
    if (turn > 0)
        printf("%lu\n", time);
}

void measure_slot(uint64_t size, int samples, bool timing_add)
{
    int kvm = open_kvm();
    uint8_t *memory = map_small_pages(size);
    check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    for (int turn = 0; turn <= samples; turn++) {
        uint64_t start = now();
        set_slot(vm, 0, TESTED, size, memory);
        uint64_t added = now() - start;
        start = now();
        set_slot(vm, 0, TESTED, 0, memory);
        uint64_t deleted = now() - start;
        record(turn, timing_add ? added : deleted);
    }
}

void measure_map(uint64_t size, int samples)
{
    int kvm = open_kvm();
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    for (int turn = 0; turn <= samples; turn++) {
        uint64_t start = now();
        uint8_t *memory = map_guest(size);
        set_slot(vm, 0, TESTED, size, memory);
        uint64_t time = now() - start;
        set_slot(vm, 0, TESTED, 0, memory);
        munmap(memory, size);
        record(turn, time);
    }
}
