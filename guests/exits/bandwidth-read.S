/*
 * bandwidth-read: reads 64 MiB from the operand's address on, 64 bytes at a time; 64-bit mode only.
 */
#include "both.h"

        ENTER
next:   BEFORE
        movl    $0x100000, %ecx
        movq    %r8, %rax
1:      movdqa  (%rax), %xmm0
        movdqa  16(%rax), %xmm1
        movdqa  32(%rax), %xmm2
        movdqa  48(%rax), %xmm3
        addq    $64, %rax
        decl    %ecx
        jnz     1b
        AFTER
        LEAVE
