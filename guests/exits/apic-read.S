/*
 * apic-read, 64-bit mode only: a load from the local APIC's page (its ID), which the kernel plays, or the hardware.
 */
#include "exits.h"

        BEGIN
        movl    $EXITS_LOCAL_APIC, %ecx
        START
        movl    APIC_ID(%rcx), %eax
        STOP
        END
