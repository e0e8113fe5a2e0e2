/*
 * header.S: here a boot loader should find that this is a Multiboot kernel. Task: README.md.
 */
        .section .note.GNU-stack, "", @progbits
