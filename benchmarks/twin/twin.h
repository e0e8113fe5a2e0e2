/*
 * The C twin of `swiftlet run`: what a C programmer would write for the same work, and so the floor that Swiftlet is
 * measured against.
 *
 * It makes the same system calls in the same order and fills the same bytes of guest memory, but has no options, no
 * reports and few words for its errors: it says which step failed and exits with 125. `make bench` runs the two side by
 * side. Read next: main.c, then machine.c, image.c, boot.c, tables.c, sandbox.c, loop.c, calls.c, wait.c.
 */
#ifndef TWIN_H
#define TWIN_H

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "swiftlet_abi.h"

#define MEMORY_SIZE (64ul << 20)
#define PAGE 0x1000ul
#define HUGE_PAGE 0x200000ul

/* Sources/X86/AddressMap.swift */
#define GDT 0x1000ul
#define IDT 0x2000ul
#define TSS 0x3000ul
#define STUBS 0x6000ul
#define MACHINE_END 0x7000ul
#define MEMORY_START 0x10000ul
#define BOOT_INFO 0x10000ul
#define MEMORY_MAP 0x10800ul
#define COMMAND_LINE 0x11000ul
#define COMMAND_LINE_CAPACITY 0xf000ul
#define VCPU_AREA 0x20000ul
#define CALL_PAGE VCPU_AREA
#define REPORT_STACK_TOP (VCPU_AREA + 0x2000)
#define IMAGE_START 0x40000ul
#define STACK_SIZE (64ul << 10)

#define TSS_LIMIT (104u + 8192u)
#define USER_DATA 0x2b
#define USER_CODE 0x33
#define TASK 0x40

#define CR4_GLOBAL_PAGES (1ul << 7)

/* Page-table entry bits: Sources/X86/PageTables.swift */
#define PRESENT 1ul
#define WRITABLE 2ul
#define USER 4ul
#define HUGE 128ul
#define NO_EXECUTE (1ul << 63)
#define DATA (PRESENT | WRITABLE | USER | NO_EXECUTE)
#define READ_ONLY (PRESENT | USER | NO_EXECUTE)
#define CODE (PRESENT | USER)
#define SUPERVISOR (PRESENT | NO_EXECUTE)

struct range {
    uint64_t start, end;
};

struct segment {
    uint64_t address, memory_size, offset, file_size, flags;
    struct range pages;
};

#define SEGMENTS_MAX 16
struct image {
    int fd;
    uint64_t entry;
    struct segment segments[SEGMENTS_MAX]; /* sorted */
    int count;
    struct range pages;
};

struct layout {
    struct range stack, tables, free;
};

struct clock {
    uint64_t frequency, host_start, guest_start;
    uint32_t multiplier;
    int8_t shift;
    bool stable;
};

struct cpu {
    struct swiftlet_cpu_features features;
    uint64_t xcr0, cr4;
    struct {
        uint32_t count, padding;
        struct kvm_cpuid_entry2 entries[100];
    } cpuid;
};

/* CLOCK_MONOTONIC where Swiftlet reads it too: the program's start and the end of each phase. */
struct phases {
    uint64_t start, image, vm, load, vcpu, sandbox, run;
};

struct machine {
    uint8_t *memory; /* guest-physical 0 */
    struct image image;
    struct layout layout;
    struct clock clock;
    struct cpu cpu;
    int vm, vcpu;
    struct kvm_run *run;
    size_t run_size;
    int stop, done; /* eventfds: a stop was asked for, the vCPU's thread is at its end */
    int stop_signal;
    /* the vCPU's */
    uint64_t pending_root, timer_deadline;
    uint8_t timer_vector;
    bool has_timer;
    timer_t timer;
    uint64_t handled[4];
    int status;
};

struct start {
    uint64_t rip, rsp, rdi, cr3;
};

_Noreturn void fail(const char *step);
int check(int result, const char *step);

/* image.c */
void image_open(struct image *image, const char *path);
void image_load(const struct image *image, uint8_t *memory);

/* boot.c */
void layout_plan(struct layout *layout, const struct image *image);
uint8_t *memory_reserve(void);
struct start boot_install(struct machine *machine, char **arguments);

/* tables.c */
void gate_write(uint8_t *memory, unsigned vector, uint64_t handler, uint64_t stack);
void write_machine_tables(uint8_t *memory);
uint64_t build_page_tables(struct machine *machine);

/* machine.c */
void cpu_describe(struct cpu *cpu);
void machine_create(struct machine *machine);
void machine_load(struct machine *machine, struct start start);

/* sandbox.c */
void close_inherited(unsigned kept);
void sandbox_enter(void);

/* loop.c */
int run_loop(struct machine *machine);

/* calls.c: what the run loop does next */
enum action { RESUME, COMMIT, READ_FAULT_ADDRESS, STOP };
enum action handle_call(struct machine *machine, uint16_t number);
enum action crash(struct machine *machine, const char *what);

/* wait.c */
#define NONE SWIFTLET_NO_DEADLINE
enum sleep_end { READY, PASSED, INTERRUPTED };
uint64_t guest_time(const struct clock *clock);
uint64_t remaining(const struct clock *clock, uint64_t deadline);
int wait_for(int fd, short events, int stop, uint64_t nanoseconds);
enum sleep_end wait_for_events(struct machine *machine, uint32_t events, uint64_t deadline);

static inline int stop_signal(struct machine *machine)
{
    return __atomic_load_n(&machine->stop_signal, __ATOMIC_ACQUIRE);
}

/* The gate: count bytes of guest memory at address, or null. */
static inline void *guest(const struct machine *machine, uint64_t address, uint64_t count)
{
    if (address < MEMORY_START || address > MEMORY_SIZE || count > MEMORY_SIZE - address)
        return NULL;
    return machine->memory + address;
}

/* A word of the call page that stands in for the interrupt flag. */
static inline uint32_t *interrupt_word(struct machine *machine, uint64_t offset)
{
    return guest(machine, CALL_PAGE + offset, sizeof(uint32_t));
}

#endif
