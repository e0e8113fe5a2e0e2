/*
 * What only kernels for the bare CPU need of KVM: interrupt lines, the PIT, and a task state segment for old VMX.
 *
 * Read next: Sources/KVM/InterruptLines.swift.
 */
#ifndef CKVM_KERNELS_H
#define CKVM_KERNELS_H

#include "ckvm.h"

enum : unsigned int { CKVM_EXIT_SET_TPR = KVM_EXIT_SET_TPR };

/* With port 0x61 in the kernel too, by which kernels time the PIT (KVM API, section 4.71). */
static inline long ckvm_create_pit(int vm)
{
    struct kvm_pit_config config = {.flags = KVM_PIT_SPEAKER_DUMMY};
    return ckvm_result(ioctl(vm, KVM_CREATE_PIT2, &config));
}
/* All lines of a PIC (0: the first, 1: the second): its interrupt mask register. */
static inline long ckvm_mask_pic(int vm, unsigned chip)
{
    struct kvm_irqchip state = {.chip_id = chip};
    if (ioctl(vm, KVM_GET_IRQCHIP, &state) < 0)
        return ckvm_result(-1);
    state.chip.pic.imr = 0xff;
    return ckvm_result(ioctl(vm, KVM_SET_IRQCHIP, &state));
}
static inline long ckvm_set_irq_line(int vm, unsigned line, unsigned level)
{
    struct kvm_irq_level request = {.irq = line, .level = level};
    return ckvm_result(ioctl(vm, KVM_IRQ_LINE, &request));
}
static inline long ckvm_get_mp_state(int vcpu)
{
    struct kvm_mp_state state = {0};
    long result = ckvm_result(ioctl(vcpu, KVM_GET_MP_STATE, &state));
    return result < 0 ? result : (long)state.mp_state;
}
/* As it is: when a vCPU is made, KVM makes its map of local APICs before it counts that vCPU. */
static inline long ckvm_announce_local_apic(int vcpu)
{
    struct kvm_lapic_state state;
    if (ioctl(vcpu, KVM_GET_LAPIC, &state) < 0)
        return ckvm_result(-1);
    return ckvm_result(ioctl(vcpu, KVM_SET_LAPIC, &state));
}
static inline long ckvm_make_runnable(int vcpu)
{
    struct kvm_mp_state state = {.mp_state = KVM_MP_STATE_RUNNABLE};
    return ckvm_result(ioctl(vcpu, KVM_SET_MP_STATE, &state));
}
/* Three pages for VMX without "unrestricted guest", which has no real mode of its own (KVM API, section 4.13). */
static inline long ckvm_set_tss_address(int vm, unsigned long address)
{
    return ckvm_result(ioctl(vm, KVM_SET_TSS_ADDR, address));
}

#endif
