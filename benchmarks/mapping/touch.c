/*
 * The twin's first touch: a ring-3 guest that runs the bytes of guests/exits/touch-write.S.
 *
 * As Sources/Rig/Rig.swift and RigTables.swift. Read next: ../twin/tables.c.
 */
#include "mapping.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE */
#define EVERYTHING (PRESENT | WRITABLE | USER)
/* guests/exits/exits.h; EXITS_SAMPLES comes from the Makefile, which looks there. */
#define COUNT 0x00
#define OPERAND 0x08

static void put(uint8_t *memory, uint64_t address, uint64_t value) { memcpy(memory + address, &value, sizeof value); }

/* One to one: the first 2 MiB by small pages, what follows up to 4 GiB by huge ones; root, level 3, level 2 and 1 in turn. */
static void write_page_tables(uint8_t *memory)
{
    uint64_t level3 = RIG_TABLES + PAGE, level2 = level3 + PAGE, level1 = level2 + 4 * PAGE;
    put(memory, RIG_TABLES, level3 | EVERYTHING);
    for (uint64_t i = 0; i < 4; i++)
        put(memory, level3 + i * 8, (level2 + i * PAGE) | EVERYTHING);
    put(memory, level2, level1 | EVERYTHING);
    for (uint64_t i = 1; i < 4 * 512; i++)
        put(memory, level2 + i * 8, i * HUGE_PAGE | EVERYTHING | HUGE);
    for (uint64_t i = 0; i < 512; i++)
        put(memory, level1 + i * 8, i * PAGE | EVERYTHING);
}

/* Reads the code into the rig's memory; it is at most 64 KiB. */
static void load_code(uint8_t *memory, const char *path)
{
    int file = check(open(path, O_RDONLY | O_CLOEXEC), path);
    check((int)pread(file, memory + RIG_CODE, 0x10000, 0), path);
    close(file);
}

static void make_machine(struct machine *machine, const void *tested, uint64_t size)
{
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP};
    int kvm = open_kvm();
    machine->memory = map_guest(RIG_SIZE);
    machine->vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    set_slot(machine->vm, 0, 0, RIG_HOLE, machine->memory);
    set_slot(machine->vm, 1, RIG_HOLE_END, RIG_SIZE - RIG_HOLE_END, machine->memory + RIG_HOLE_END);
    set_slot(machine->vm, 2, TESTED, size, tested);
    check(ioctl(machine->vm, KVM_ENABLE_CAP, &split), "KVM_CAP_SPLIT_IRQCHIP");
    machine->run_size = (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    machine->vcpu = check(ioctl(machine->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    machine->run = mmap(NULL, machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
    if (machine->run == MAP_FAILED)
        fail("mmap of kvm_run");
}

static void run_to_the_end(const struct machine *machine)
{
    check(ioctl(machine->vcpu, KVM_RUN, 0), "KVM_RUN");
    if (machine->run->exit_reason != KVM_EXIT_IO || machine->run->io.port != RIG_DONE)
        fail("another exit");
}

void measure_touch(const char *code, bool populated, int samples, int warm_ups)
{
    struct machine machine = {0};
    struct start start = {.rip = RIG_CODE, .rsp = RIG_STACK_TOP, .rdi = RIG_PAGE, .cr3 = RIG_TABLES};
    uint64_t count = (uint64_t)(samples + warm_ups), size = (count * PAGE + HUGE_PAGE - 1) & -HUGE_PAGE;
    uint8_t *tested = map_small_pages(size);
    if (populated)
        check(madvise(tested, size, POPULATE_WRITE), "MADV_POPULATE_WRITE");
    make_machine(&machine, tested, size);
    write_machine_tables(machine.memory);
    write_page_tables(machine.memory);
    load_code(machine.memory, code);
    cpu_describe(&machine.cpu);
    machine_load(&machine, start);
    uint64_t kilohertz = (uint64_t)check(ioctl(machine.vcpu, KVM_GET_TSC_KHZ, 0), "KVM_GET_TSC_KHZ");
    put(machine.memory, RIG_PAGE + COUNT, count);
    put(machine.memory, RIG_PAGE + OPERAND, TESTED | 12);
    run_to_the_end(&machine);
    const uint8_t *stamps = machine.memory + RIG_PAGE + EXITS_SAMPLES;
    for (uint64_t i = (uint64_t)warm_ups; i < count; i++) {
        uint64_t stamp[2];
        memcpy(stamp, stamps + i * sizeof stamp, sizeof stamp);
        printf("%.1f\n", (double)(stamp[1] - stamp[0]) * 1e6 / (double)kilohertz);
    }
}
