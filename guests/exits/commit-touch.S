/*
 * commit-touch: as commit.S, and then reads each of the pages, where a KVM that shadows page tables pays for the commit;
 * 64-bit mode only. The table maps what begins at 1 GiB.
 */
#include "both.h"

        ENTER
        movl    %r8d, %r9d
        andl    $0xfff, %r9d
        andq    $-4096, %r8
next:   BEFORE
        movl    %r9d, %ecx
1:      xorq    $2, -8(%r8,%rcx,8)
        decl    %ecx
        jnz     1b
        outl    %eax, $EXITS_PORT
        movl    $0x40000000, %esi
        movl    %r9d, %ecx
2:      movl    (%rsi), %eax
        addl    $4096, %esi
        decl    %ecx
        jnz     2b
        AFTER
        LEAVE
