/*
 * hlt: HLT, an exit to user space where no interrupt controller is in the kernel.
 */
#include "exits.h"

        BEGIN
        START
        hlt
        STOP
        END
