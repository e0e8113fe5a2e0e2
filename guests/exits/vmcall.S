/*
 * vmcall: a hypercall that does nothing, KVM_HC_VAPIC_POLL_IRQ (Linux, include/uapi/linux/kvm_para.h), by Intel's
 * instruction. vmmcall.S has AMD's: KVM makes the one of the other, but not at ring 3, nor in real mode.
 */
#include "exits.h"

        BEGIN
        START
        movl    $1, %eax
        vmcall
        STOP
        END
