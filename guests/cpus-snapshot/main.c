/*
 * cpus-snapshot: all vCPUs compute, sleep and commit; what they come to must not depend on how often, and where, they are saved
 * and restored meanwhile. The last vCPU is started when the first is done.
 *
 * Arguments: how many turns each computes; "all": each makes the snapshot call, and must hear that it was saved or restored.
 */
#include "guest.h"

#define TURNS 3000000ul
#define PERIOD 100000

static uint64_t digests[16], finished, turns;

static void compute(uint64_t cpu)
{
    uint64_t value = cpu + 1;
    for (uint64_t turn = 0; turn < turns; turn++) {
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        if (turn % PERIOD != 0)
            continue;
        check(cpu_number() == cpu, "a vCPU is who it was");
        if (turn / PERIOD % 8 == cpu)
            mmu_commit();
        if (turn / PERIOD % 4 == 0)
            sleep_until(clock_now() + 500 * MICROSECONDS);
        if (turn / PERIOD == 10 && argument_is(1, "all"))
            check(call_snapshot() >= SWIFTLET_SNAPSHOT_SAVED, "each that asks is told that a snapshot was made");
    }
    digests[cpu] = value;
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

int main(const struct swiftlet_boot_info *boot)
{
    uint32_t count = boot->vcpu_count;
    turns = argument_number(0, TURNS);
    print("computing\n");
    for (unsigned cpu = 1; cpu + 1 < count; cpu++)
        cpu_start(cpu, compute, cpu);
    compute(0);
    if (count > 1)
        cpu_start(count - 1, compute, count - 1);
    while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < count)
        sleep_until(clock_now() + MILLISECONDS);
    uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < count; cpu++)
        sum = sum * 31 + digests[cpu];
    print("digest %lx of %u vCPUs\n", sum, count);
    return 0;
}
