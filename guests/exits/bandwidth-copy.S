/*
 * bandwidth-copy: copies 32 MiB from the operand's address on to the 32 MiB behind them, by REP MOVSQ; 64-bit mode only.
 */
#include "both.h"

        ENTER
        movq    %rdi, %r10
next:   BEFORE
        movl    $0x400000, %ecx
        movq    %r8, %rsi
        leaq    0x2000000(%r8), %rdi
        rep movsq
        AFTER
        movq    %r10, %rdi
        LEAVE
