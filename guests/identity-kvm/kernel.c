/*
 * identity-kvm: KVM's own interface: name, features, clocks' rates, and its clock: the time of the system and of the day, which
 * KVM writes into memory at two MSRs (Linux, Documentation/virt/kvm/x86/cpuid.rst, msr.rst).
 */
#include "identity.h"

#define CLOCK_FEATURE (1u << 3)
#define WALL_CLOCK_MSR 0x4b564d00
#define SYSTEM_TIME_MSR 0x4b564d01

void kernel(void);

static __attribute__((aligned(64))) struct clock time;
static __attribute__((aligned(64))) volatile struct {
    uint32_t version, seconds, nanoseconds;
} day;

void kernel(void)
{
    check("a hypervisor", has_hypervisor());
    check("KVM's name", is_named("KVMKVMKVM\0\0\0"));
    check("a clock", cpuid(0x40000001).eax & CLOCK_FEATURE);
    check("the rates of TSC and APIC", cpuid(0x40000000).eax >= 0x40000010 && cpuid(0x40000010).eax > 1000
                                           && cpuid(0x40000010).ebx == 1000000);
    write_msr(SYSTEM_TIME_MSR, (uint32_t)&time | 1);
    check("the time has a scale", time.version && !(time.version & 1) && time.multiplier);
    check("it goes on", clock_goes(&time, 1000));
    write_msr(WALL_CLOCK_MSR, (uint32_t)&day);
    check("the day is after 2024", !(day.version & 1) && day.seconds > 1704067200);
    done();
}
