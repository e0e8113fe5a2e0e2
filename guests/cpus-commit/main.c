/*
 * cpus-commit: one vCPU takes a page away while all others read it, again and again: behind the commit none reads it any more,
 * and each faults where it must. The argument says how often.
 */
#include "guest.h"

#define WINDOW 0x100000000000ul

static uint64_t pages[2];
static volatile uint64_t faults[16];
static volatile bool is_mapped, is_over;
static uint64_t readers;

/* A reader that faults waits until the page is back, and reads again. */
static void wait_for_page(struct exception_frame *frame)
{
    check(frame->error_code == PAGE_FAULT_USER, "the page is not present");
    faults[cpu_number()]++;
    while (!is_mapped && !is_over)
        __builtin_ia32_pause();
    if (is_over)
        call_poll(SWIFTLET_NO_DEADLINE, 0);
}

/* Counts readers that have read while the page was away: what a stale translation gives them. */
static volatile uint64_t stale, reads[16];

static void read_on(uint64_t cpu)
{
    __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        uint64_t value = *(volatile uint64_t *)WINDOW;
        if (value != 1)
            __atomic_add_fetch(&stale, 1, __ATOMIC_SEQ_CST);
        reads[cpu]++;
    }
}

/* Time for readers to find the page back: until one has read, or so long. */
static void let_read(uint64_t cpus)
{
    uint64_t before = 0, now = 0;
    for (uint64_t cpu = 1; cpu < cpus; cpu++)
        before += reads[cpu];
    for (uint64_t start = clock_now(); now <= before && clock_now() < start + MILLISECONDS;) {
        now = 0;
        for (uint64_t cpu = 1; cpu < cpus; cpu++)
            now += reads[cpu];
    }
}

int main(const struct swiftlet_boot_info *boot)
{
    int turns = (int)argument_number(0, 200);
    for (int i = 0; i < 2; i++) {
        pages[i] = (uint64_t)allocate(PAGE_SIZE);
        *(uint64_t *)pages[i] = 1;
    }
    exception_handle(VECTOR_PAGE_FAULT, wait_for_page);
    mmu_map(WINDOW, pages[0], PAGE_SIZE, MMU_WRITE);
    mmu_commit();
    is_mapped = true;
    for (unsigned cpu = 1; cpu < boot->vcpu_count; cpu++)
        cpu_start(cpu, read_on, cpu);
    while (__atomic_load_n(&readers, __ATOMIC_SEQ_CST) < boot->vcpu_count - 1)
        __builtin_ia32_pause();
    for (int turn = 0; turn < turns; turn++) {
        is_mapped = false;
        mmu_unmap(WINDOW, PAGE_SIZE);
        mmu_commit();
        /* Nobody may see what is written now: the page is the guest's own again. */
        *(volatile uint64_t *)pages[turn % 2] = 2;
        for (uint64_t start = clock_now(); clock_now() < start + 200 * MICROSECONDS;)
            __builtin_ia32_pause();
        check(stale == 0, "behind the commit nobody reads a page that was taken away");
        *(volatile uint64_t *)pages[turn % 2] = 1;
        mmu_map(WINDOW, pages[(turn + 1) % 2], PAGE_SIZE, MMU_WRITE);
        mmu_commit();
        is_mapped = true;
        let_read(boot->vcpu_count);
    }
    is_over = true;
    for (unsigned cpu = 1; cpu < boot->vcpu_count; cpu++) {
        check(faults[cpu] > 0, "each reader has faulted");
        check(reads[cpu] > 0, "each reader has read");
    }
    print("%d times taken away, from %u readers\n", turns, boot->vcpu_count - 1);
    return 0;
}
