/*
 * msr-write: WRMSR of IA32_MISC_ENABLE, to the value that it has: the operand.
 */
#include "exits.h"

        BEGIN
        movl    $EXITS_MSR, %ecx
        START
        movl    PAGE(EXITS_OPERAND), %eax
        movl    PAGE(EXITS_OPERAND + 4), %edx
        wrmsr
        STOP
        END
