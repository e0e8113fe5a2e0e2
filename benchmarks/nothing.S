/*
 * nothing: the smallest program. From exec to its end is what any program costs before it does anything: the floor of
 * `swiftlet bench startup`.
 */
        .globl  _start
_start: movl    $60, %eax               /* exit */
        xorl    %edi, %edi
        syscall
        .section .note.GNU-stack, "", @progbits
