/*
 * cpus-calls: all vCPUs make calls at once, each of every kind, while its own timer interrupts it; every answer must be its own.
 */
#include "guest.h"

#define TURNS 100
#define FIRST_VECTOR 40

static uint64_t finished;
static volatile uint64_t interrupts[16];
static uint8_t *pages;

static void on_timer(struct exception_frame *frame)
{
    check(frame->vector == FIRST_VECTOR + cpu_number(), "an interrupt comes to the vCPU that asked for it");
    interrupts[cpu_number()]++;
}

static void use_everything(uint64_t cpu)
{
    uint8_t *page = pages + cpu * PAGE_SIZE;
    char line[] = "vCPU x writes\n";
    line[5] = (char)('a' + cpu);
    for (int turn = 0; turn < TURNS; turn++) {
        uint64_t seen = interrupts[cpu];
        exception_handle(FIRST_VECTOR + (unsigned)cpu, on_timer);
        call_timer(clock_now() + 50 * MICROSECONDS, FIRST_VECTOR + (unsigned)cpu);
        memset(page, 0, 64);
        call_entropy(page, 64);
        bool has_entropy = false;
        for (int i = 0; i < 64; i++)
            has_entropy |= page[i] != 0;
        check(has_entropy, "entropy comes where it was asked for");
        check(call_wall_time().seconds > 1000000000, "the time of day is one");
        call_reclaim(page, PAGE_SIZE);
        check(page[turn % 64] == 0, "what was given back is zero");
        if (turn % 10 == 0)
            console_write(line, sizeof line - 1);
        mmu_commit();
        char nothing;
        check(call_console_read(&nothing, 1, 0) == 0, "the console is at its end");
        while (interrupts[cpu] == seen)
            sleep_until(clock_now() + MILLISECONDS);
    }
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

int main(const struct swiftlet_boot_info *boot)
{
    pages = allocate(16 * PAGE_SIZE);
    for (unsigned cpu = 1; cpu < boot->vcpu_count; cpu++)
        cpu_start(cpu, use_everything, cpu);
    use_everything(0);
    while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < boot->vcpu_count)
        sleep_until(clock_now() + MILLISECONDS);
    for (unsigned cpu = 0; cpu < boot->vcpu_count; cpu++)
        check(interrupts[cpu] == TURNS, "each vCPU had its interrupts");
    print("%u vCPUs, %d times each\n", boot->vcpu_count, TURNS);
    return 0;
}
