/*
 * chase: 256 loads, each of which needs the one before it, 64-bit mode only. The operand is the address of the first
 * link; where the links lie decides whether the TLB has them.
 */
#include "both.h"

        ENTER
next:   BEFORE
        .rept   256
        movq    (%r8), %r8
        .endr
        AFTER
        LEAVE
