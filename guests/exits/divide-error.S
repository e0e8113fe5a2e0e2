/*
 * divide-error: DIV by zero and a handler that steps over it: an exception that KVM need not see.
 */
#include "exits.h"

        BEGIN   exception=handler
        xorl    %ecx, %ecx
        START
        divb    %cl                     /* 2 bytes */
        STOP
        END
handler:
        STEP_OVER 2
