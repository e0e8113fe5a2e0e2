/*
 * Whether a vCPU sleeps in HLT: with a local APIC in the kernel that is no exit, and nothing ever wakes it.
 *
 * For guests that went on in ring 0 on a vCPU which was made for ring 3. Returns 1, 0, or -errno.
 * Read next: ../../../Sources/Deprivileged/RingThreeState.swift.
 */
#ifndef CHALTED_H
#define CHALTED_H

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

static inline int chalted_is_halted(int vcpu)
{
    struct kvm_mp_state state;
    if (ioctl(vcpu, KVM_GET_MP_STATE, &state) < 0)
        return -errno;
    return state.mp_state == KVM_MP_STATE_HALTED;
}

#endif
