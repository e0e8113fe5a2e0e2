/*
 * 2 MiB of numbers and a few more, so that the segment does not end with a page.
 */
    .section .rodata.numbers, "a"
    .balign 4096
    .globl numbers
numbers:
    .set n, 0
    .rept (1 << 18) + 3
    .quad n
    .set n, n + 1
    .endr

    .section .note.GNU-stack, "", @progbits
