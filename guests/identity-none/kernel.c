/*
 * identity-none: looks for a hypervisor and finds none: no bit in CPUID's leaf 1, no name of a hypervisor behind it.
 */
#include "identity.h"

void kernel(void);

void kernel(void)
{
    /* "bit": a KVM may show it again (docs/identities.md), so it is said and not checked. */
    print(has_hypervisor() ? "the bit is set\n" : "the bit is clear\n");
    check("no name", !is_named("KVMKVMKVM\0\0\0") && !is_named("Microsoft Hv") && !is_named("VMwareVMware")
                         && !is_named("XenVMMXenVMM"));
    uint32_t eax = 0x564d5868, ebx = ~0u;
    __asm__ volatile("inl %%dx, %%eax" : "+a"(eax), "+b"(ebx) : "c"(10), "d"(0x5658));
    check("no backdoor", eax == ~0u && ebx == ~0u);
    done();
}
