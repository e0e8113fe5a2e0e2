/*
 * vmcall: a hypercall that does nothing, KVM_HC_VAPIC_POLL_IRQ (Linux, include/uapi/linux/kvm_para.h).
 *
 * On an AMD CPU KVM makes a VMMCALL of it the first time.
 */
#include "exits.h"

        BEGIN
        START
        movl    $1, %eax
        vmcall
        STOP
        END
