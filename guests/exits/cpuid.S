/*
 * cpuid: CPUID leaf 0. EBX waits on the stack, for CPUID writes it.
 */
#include "exits.h"

        BEGIN
        PUSH(bx)
        START
        xorl    %eax, %eax
        cpuid
        POP(bx)
        STOP
        END
