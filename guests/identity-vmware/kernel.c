/*
 * identity-vmware: VMware's leaves, and every command of the backdoor that Swiftlet has (open-vm-tools, backdoor_def.h).
 */
#include "identity.h"

struct answer {
    uint32_t eax, ebx, ecx, edx, esi;
};

void kernel(void);

#define MAGIC 0x564d5868

static struct answer call(uint32_t magic, uint32_t command)
{
    struct answer a = {.eax = magic, .ebx = ~0u, .ecx = command, .edx = 0x5658, .esi = ~0u};
    __asm__ volatile("inl %%dx, %%eax" : "+a"(a.eax), "+b"(a.ebx), "+c"(a.ecx), "+d"(a.edx), "+S"(a.esi));
    return a;
}

/* Ones where the quotient has more than 32 bits: the division would be an exception. */
static uint32_t in_thousands(uint32_t high, uint32_t low)
{
    if (high < 1000)
        __asm__("divl %2" : "+a"(low), "+d"(high) : "r"(1000));
    else
        low = ~0u;
    return low;
}

static void tell_time(void)
{
    struct answer a = call(MAGIC, 23), b = call(MAGIC, 46);
    check("the day is after 2024", a.eax > 1704067200 && a.ebx < 1000000 && a.ecx == 1000000);
    check("and in full", b.eax == MAGIC && b.esi == 0 && b.edx - a.eax < 100 && b.ebx < 1000000);
}

void kernel(void)
{
    struct leaf rates = cpuid(0x40000010);
    check("a hypervisor", has_hypervisor());
    check("VMware's name", is_named("VMwareVMware") && cpuid(0x40000000).eax == 0x40000010);
    check("the rates of TSC and APIC, and no calls by VMCALL", rates.eax > 1000 && rates.ebx == 1000000 && !(rates.ecx & 3));

    struct answer a = call(MAGIC, 10);
    check("the version", a.eax == 6 && a.ebx == MAGIC && a.ecx == 2);
    a = call(MAGIC, 20);
    print_number(a.eax);
    print(" MiB of memory\n");
    a = call(MAGIC, 45);
    check("the TSC's rate is the leaf's", in_thousands(a.ebx, a.eax) == rates.eax && a.ecx == 1000000000);
    tell_time();
    a = call(MAGIC, 19);
    /* RFC 9562: bytes 6 and 8 have version and variant. */
    check("a UUID", (a.ebx >> 20 & 0xf) == 4 && (a.ecx >> 6 & 3) == 2);
    struct answer again = call(MAGIC, 19);
    check("and always the same", a.eax == again.eax && a.ebx == again.ebx && a.ecx == again.ecx && a.edx == again.edx);
    check("x2APICs", call(MAGIC, 68).eax == 8);
    check("no other command", call(MAGIC, 91).eax == ~0u && call(MAGIC, 0xffff).eax == ~0u);
    a = call(0, 10);
    check("and none without the magic number", a.eax == ~0u && a.ebx == ~0u && a.ecx == 10);
    done();
}
