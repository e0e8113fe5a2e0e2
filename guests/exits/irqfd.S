/*
 * irqfd, 64-bit mode only: says that it is ready, and spins until an interrupt comes. The second stamp is the handler's.
 */
#include "exits.h"

        BEGIN   interrupt=handler
        LOCAL_APIC
        xorl    %ecx, %ecx
        START
        movl    %ebp, PAGE(EXITS_REQUEST)
        AWAIT
        END
handler:
        APIC_HANDLER
