/*
 * cpus: starts all vCPUs of its machine; each counts, with a lock prefix, in the same word, and says its number.
 *
 * An argument has it do what no guest may: "again" starts a vCPU twice, "beyond" one that is not there, "entry" one where no code
 * is, "stack" one on no memory; "canonical" has an address that cannot be. "fault" has the last vCPU write to nothing, "exit" end
 * the machine, "spin" all others spin for ever.
 */
#include "guest.h"

#define TURNS 100000

static uint64_t counter, finished, numbers;
static uint64_t *volatile nothing = (uint64_t *)8;

static void count(uint64_t cpu)
{
    check(cpu_number() == cpu, "a vCPU knows its number");
    check(clock_now() > 0, "a vCPU has a clock");
    for (int turn = 0; turn < TURNS; turn++)
        __atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
    __atomic_or_fetch(&numbers, 1ul << cpu, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
    bool is_last = cpu + 1 == boot_info->vcpu_count;
    if (is_last && argument_is(0, "fault"))
        *nothing = 1;
    if (is_last && argument_is(0, "exit"))
        call_exit(7);
    while (cpu != 0 && argument_is(0, "spin"))
        __builtin_ia32_pause();
}

static void raw_start(uint64_t cpu, uint64_t entry, uint64_t stack)
{
    *CALL_ARGUMENTS(struct swiftlet_start_vcpu) =
        (struct swiftlet_start_vcpu){.vcpu = cpu, .entry = entry, .stack = stack};
    call(SWIFTLET_CALL_START_VCPU);
}

static void misuse(void)
{
    if (argument_is(0, "beyond"))
        raw_start(boot_info->vcpu_count, (uint64_t)count, boot_info->stack_top);
    if (argument_is(0, "itself"))
        raw_start(0, (uint64_t)count, boot_info->stack_top);
    if (argument_is(0, "canonical"))
        raw_start(1, 1ul << 47, boot_info->stack_top);
    if (argument_is(0, "entry"))
        raw_start(1, boot_info->free_end - PAGE_SIZE, boot_info->free_end - PAGE_SIZE);
    if (argument_is(0, "stack"))
        raw_start(1, (uint64_t)count, 16);
    if (argument_is(0, "entry") || argument_is(0, "stack"))
        call_poll(SWIFTLET_NO_DEADLINE, 0);
}

int main(const struct swiftlet_boot_info *boot)
{
    misuse();
    for (unsigned cpu = 1; cpu < boot->vcpu_count; cpu++)
        cpu_start(cpu, count, cpu);
    if (argument_is(0, "again"))
        cpu_start(1, count, 1);
    count(0);
    while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < boot->vcpu_count)
        __builtin_ia32_pause();
    print("%u vCPUs, numbers %lx, counted to %lu\n", boot->vcpu_count, numbers, counter);
    while (boot->command_line_size > 0)
        call_poll(SWIFTLET_NO_DEADLINE, 0);
    return counter == TURNS * boot->vcpu_count ? 0 : 1;
}
