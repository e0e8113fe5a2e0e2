/*
 * call: as a guest calls its VMM: a struct in memory, OUT of its address, the answer is in the struct.
 */
#include "exits.h"

        BEGIN
        START
        movl    $1, PAGE(EXITS_CALL)
        movl    %ebp, PAGE(EXITS_CALL + 8)
        movl    %ebx, PAGE(EXITS_CALL + 16)
        movl    $(EXITS_PAGE + EXITS_CALL), %eax
        outl    %eax, $EXITS_PORT
        movl    PAGE(EXITS_CALL + 24), %ecx
        STOP
        cmpl    %ebp, %ecx              /* the answer is the second word of the struct */
        jne     wrong
        END
wrong:  ud2
