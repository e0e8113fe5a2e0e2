/*
 * vmmcall: the hypercall of vmcall.S by AMD's instruction.
 */
#include "exits.h"

        BEGIN
        START
        movl    $1, %eax
        vmmcall
        STOP
        END
