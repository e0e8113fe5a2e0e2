/*
 * string-write: REP OUTSB of 64 bytes to a port that nobody owns. How many exits that is, KVM decides.
 *
 * ESI and the stamp in it wait on the stack.
 */
#include "exits.h"

        BEGIN
        START
        PUSH(si)
        movl    $PAGE(0), %esi
        movl    $EXITS_PORT, %edx
        movl    $64, %ecx
        rep outsb
        POP(si)
        STOP
        END
