/*
 * msr-read: RDMSR of IA32_MISC_ENABLE, answered by KVM or, through a filter, by user space.
 */
#include "exits.h"

        BEGIN
        movl    $EXITS_MSR, %ecx
        START
        rdmsr
        STOP
        END
