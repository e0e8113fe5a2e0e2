/*
 * irqfd-halted, 64-bit mode only: as irqfd, but halted: ring 0 alone can. Between STI and HLT no interrupt is taken.
 */
#include "exits.h"

        BEGIN   interrupt=handler
        LOCAL_APIC
        xorl    %ecx, %ecx
        cli
        START
        movl    %ebp, PAGE(EXITS_REQUEST)
1:      sti
        hlt
        cli
        testl   %ecx, %ecx
        jz      1b
        END
handler:
        APIC_HANDLER
