/*
 * pic-read: IN of a byte from the interrupt controller (its mask), which the kernel plays.
 */
#include "exits.h"

        BEGIN
        START
        inb     $0x21, %al
        STOP
        END
