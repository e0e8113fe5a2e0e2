/*
 * header.S, solved: magic number, flags (2: memory information), and what makes their sum zero (Multiboot 0.6.96, 3.1.1).
 */
        .section .multiboot, "a"
        .balign 4
        .long   0x1badb002, 2, -(0x1badb002 + 2)
        .section .note.GNU-stack, "", @progbits
