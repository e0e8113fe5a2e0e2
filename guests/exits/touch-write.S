/*
 * touch-write: a store to one page after the other, 64-bit mode only. The operand is the first page's address and, in its
 * low bits, the binary logarithm of the distance to the next: 12 for small pages, 21 for huge ones.
 *
 * Each page then begins with its own address, by which a test knows that it was touched.
 */
#include "both.h"

        ENTER
        ADDRESS_AND_STEP
next:   BEFORE
        movq    %r8, (%r8)
        AFTER
        addq    %r9, %r8
        LEAVE
