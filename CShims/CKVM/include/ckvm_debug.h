/*
 * What only a debugger needs of KVM: exits at breakpoints and steps, and vector state.
 *
 * Read next: Sources/KVM/GuestDebug.swift.
 */
#ifndef CKVM_DEBUG_H
#define CKVM_DEBUG_H

#include "ckvm.h"

enum : unsigned int {
    CKVM_DEBUG_ENABLE = KVM_GUESTDBG_ENABLE,
    CKVM_DEBUG_STEP = KVM_GUESTDBG_SINGLESTEP,
    CKVM_DEBUG_INT3 = KVM_GUESTDBG_USE_SW_BP,
    CKVM_DEBUG_REGISTERS = KVM_GUESTDBG_USE_HW_BP,
    CKVM_DEBUG_NO_INTERRUPTS = 0x100000, /* KVM_GUESTDBG_BLOCKIRQ, Linux 5.16 */
};

/* EINVAL for a control bit that this KVM does not know. */
static inline long ckvm_set_guest_debug(int vcpu, unsigned control, const uint64_t *registers)
{
    struct kvm_guest_debug request = {.control = control};
    for (int i = 0; i < 8; i++)
        request.arch.debugreg[i] = registers[i];
    return ckvm_result(ioctl(vcpu, KVM_SET_GUEST_DEBUG, &request));
}

/* The standard format, 4096 bytes: x87 to AVX-512 (Intel SDM vol. 1, 13.4). */
static inline long ckvm_get_xsave(int vcpu, void *bytes) { return ckvm_result(ioctl(vcpu, KVM_GET_XSAVE, bytes)); }
static inline long ckvm_set_xsave(int vcpu, const void *bytes) { return ckvm_result(ioctl(vcpu, KVM_SET_XSAVE, bytes)); }

#endif
