/*
 * timer-deadline, 64-bit mode only: the local APIC's timer by IA32_TSC_DEADLINE, operand cycles behind the first stamp. The
 * second stamp is the handler's.
 */
#include "exits.h"

        BEGIN   interrupt=handler
        LOCAL_APIC
        movl    $0x40040, APIC_TIMER(%r9) /* TSC deadline, vector 0x40 */
        mfence                          /* before the first WRMSR: Intel SDM vol. 3A, 11.5.4.1 */
        xorl    %r10d, %r10d
        movl    $0x6e0, %ecx
        START
        addl    %r8d, %eax
        adcl    $0, %edx
        wrmsr
1:      testl   %r10d, %r10d
        jz      1b
        END
handler:
        STOP
        movl    $0, APIC_EOI(%r9)
        movl    $1, %r10d
        iretq
