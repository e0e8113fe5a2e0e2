/*
 * interrupt: OUT, at which the host asks for an interrupt (KVM_INTERRUPT). The second stamp is the handler's.
 */
#include "exits.h"

        BEGIN   interrupt=handler
#ifdef REAL_MODE
        sti
#endif
        xorl    %ecx, %ecx
        START
        outl    %eax, $EXITS_PORT
        AWAIT
        END
handler:
        STOP
        RETURN
