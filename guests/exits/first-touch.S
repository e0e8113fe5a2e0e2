/*
 * first-touch, 64-bit mode only: a store to a page that the host has not backed yet, from the operand's address on.
 */
#include "exits.h"

        BEGIN
        START
        movl    %eax, (%r8)
        STOP
        addq    $4096, %r8
        END
