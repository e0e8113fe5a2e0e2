/*
 * The header by which a boot loader knows a Multiboot kernel (Multiboot Specification 0.6.96, 3.1.1): magic number, flags
 * (modules on pages, memory information), and what makes their sum zero.
 */
#define MAGIC 0x1badb002
#define FLAGS 3

        .section .multiboot, "a"
        .balign 4
        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
        .section .note.GNU-stack, "", @progbits
