/*
 * commit: changes entries of a page table, then has the host make them count, as the commit call of docs/ABI.md does;
 * 64-bit mode only. The operand is the table's address and, in its low bits, the number of entries, at most 512. Each
 * sample takes away or gives back the right to write.
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
        AFTER
        LEAVE
