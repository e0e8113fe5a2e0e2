/*
 * identity-hyperv: Hyper-V's leaves, each of its MSRs that Swiftlet has, the reference time by two ways, and hypercalls
 * (Hypervisor Top-Level Functional Specification 6.0b).
 */
#include "identity.h"

void kernel(void);

#define GUEST_OS 0x40000000
#define HYPERCALL 0x40000001
#define VP_INDEX 0x40000002
#define RESET 0x40000003
#define TIME_REFERENCE 0x40000020
#define REFERENCE_TSC 0x40000021
#define TSC_FREQUENCY 0x40000022
#define APIC_FREQUENCY 0x40000023
#define VP_ASSIST 0x40000073

static __attribute__((aligned(4096))) uint8_t code[4096];
static __attribute__((aligned(4096))) volatile struct {
    uint32_t sequence, reserved;
    uint64_t scale;
    int64_t offset;
} time;

/* In EDX:EAX the call, in EBX:ECX its input, in EDI:ESI its output (TLFS 3.7). */
static uint64_t hypercall(uint64_t input, uint64_t parameter)
{
    uint64_t result = input;
    uint32_t low = (uint32_t)parameter, high = parameter >> 32;
    __asm__ volatile("call *%[page]" : "+A"(result), "+b"(high), "+c"(low) : [page] "D"(code), "S"(0) : "memory");
    return result;
}

/* The upper half of a product of 128 bits, of 32-bit parts. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = (a0 * b0 >> 32) + (uint32_t)(a1 * b0) + (uint32_t)(a0 * b1);
    return a1 * b1 + (a1 * b0 >> 32) + (a0 * b1 >> 32) + (middle >> 32);
}

static uint64_t reference_time(void) { return high_product(read_tsc(), time.scale) + (uint64_t)time.offset; }

static void tell_time(void)
{
    check("a rate of the TSC and of the APIC", read_msr(TSC_FREQUENCY) > 10000000 && read_msr(APIC_FREQUENCY) == 1000000000);
    write_msr(REFERENCE_TSC, (uint32_t)&time | 1);
    check("the page is where it should be", read_msr(REFERENCE_TSC) == ((uint32_t)&time | 1) && time.sequence && time.scale);
    uint64_t first = read_msr(TIME_REFERENCE), second = reference_time(), third = read_msr(TIME_REFERENCE);
    check("page and register tell one time", first <= second && second <= third + 1);
    int turn = 0;
    while (reference_time() < first + 100 && turn < 100000)
        turn++;
    check("it goes on", turn < 100000);
}

static void make_calls(void)
{
    write_msr(HYPERCALL, (uint32_t)code | 1);
    check("no page for who has no name", !(read_msr(HYPERCALL) & 1));
    write_msr(GUEST_OS, 0x8100000000000001);
    write_msr(HYPERCALL, (uint32_t)code | 1);
    check("a page of hypercalls", read_msr(HYPERCALL) == ((uint32_t)code | 1) && code[0]);
    check("a long spin is heard of", hypercall(0x10008, 1) == 0);
    check("by way of memory, too", hypercall(8, (uint32_t)&time) == 0);
    check("which is aligned", hypercall(8, (uint32_t)&time + 4) == 4);
    check("no such call", hypercall(0x5c, 0) == 2);
    check("and none with bits that are nobody's", hypercall(8ull | 1ull << 63, 0) == 3 && hypercall(0x100010008, 0) == 3);
    write_msr(HYPERCALL, (uint32_t)code | 3);
    write_msr(HYPERCALL, 0);
    check("a locked page stays", read_msr(HYPERCALL) == ((uint32_t)code | 3));
}

void kernel(void)
{
    struct leaf features = cpuid(0x40000003);
    check("a hypervisor", has_hypervisor());
    check("Microsoft's name", is_named("Microsoft Hv") && cpuid(0x40000000).eax == 0x40000006);
    check("and interface", cpuid(0x40000001).eax == 0x31237648 && cpuid(0x40000002).ebx >> 16 == 10);
    check("its services", (features.eax & 0xae2) == 0xae2 && (features.edx & 0x100));
    if (failures)
        done(); /* nobody has these MSRs */
    check("a processor, number 0", cpuid(0x40000005).eax == 1 && read_msr(VP_INDEX) == 0);
    tell_time();
    make_calls();
    write_msr(VP_ASSIST, 0x5000);
    check("a page that nobody uses", read_msr(VP_ASSIST) == 0x5000);
    if (failures)
        done();
    print("and a reset\n");
    write_msr(RESET, 1);
    end(4);
}
