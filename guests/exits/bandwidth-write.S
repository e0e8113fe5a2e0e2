/*
 * bandwidth-write: fills 64 MiB from the operand's address on, by REP STOSQ; 64-bit mode only.
 */
#include "both.h"

        ENTER
        movq    %rdi, %r10
next:   BEFORE
        movl    $0x800000, %ecx
        movq    %r8, %rdi
        xorl    %eax, %eax
        rep stosq
        AFTER
        movq    %r10, %rdi
        LEAVE
