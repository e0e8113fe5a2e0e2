/*
 * string-read: REP INSB of 64 bytes from a port that nobody owns. How many exits that is, KVM decides.
 *
 * EDI and the stamp in it wait on the stack.
 */
#include "exits.h"

        BEGIN
#ifdef REAL_MODE
        pushw   %ss
        popw    %es
#define BUFFER EXITS_BUFFER
#else
#define BUFFER (EXITS_STACK + EXITS_BUFFER)
#endif
        START
        PUSH(di)
        movl    $BUFFER, %edi
        movl    $EXITS_PORT, %edx
        movl    $64, %ecx
        rep insb
        POP(di)
        STOP
        END
