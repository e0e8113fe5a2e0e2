/*
 * timer, 64-bit mode only: the local APIC's timer, one shot, operand nanoseconds (KVM's APIC counts at 1 GHz). The second
 * stamp is the handler's.
 */
#include "exits.h"

        BEGIN   interrupt=handler
        LOCAL_APIC
        movl    $0xb, APIC_DIVIDE(%r9)  /* by 1 */
        movl    $0x40, APIC_TIMER(%r9)  /* one shot, vector 0x40 */
        xorl    %ecx, %ecx
        START
        movl    %r8d, APIC_INITIAL_COUNT(%r9)
        AWAIT
        END
handler:
        APIC_HANDLER
