/*
 * page-fault, 64-bit mode only: a store to the operand's address, which is not mapped, and a handler that steps over it.
 */
#include "exits.h"

        BEGIN   exception=handler
        START
        movl    %eax, (%r8)             /* 3 bytes */
        STOP
        END
handler:
        addq    $8, %rsp                /* the error code */
        STEP_OVER 3
