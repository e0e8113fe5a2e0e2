/*
 * Where a processor begins that another has started: real mode, at the page whose number was in the message (Intel SDM vol.
 * 3A, 9.4.4). From there to 32-bit protected mode, a stack of its own, and C.
 *
 * The first part is copied to TRAMPOLINE, below 1 MiB; it names nothing of its own but by its distance from the start.
 */
#include "smp.h"

        .text
        .code16
        .globl  trampoline, trampoline_end
trampoline:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   TRAMPOLINE + (table - trampoline)
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $8, $protected

        .balign 8
descriptors:
        .quad   0
        .quad   0x00cf9a000000ffff      /* code, 32 bits, flat */
        .quad   0x00cf92000000ffff      /* data */
table:  .word   table - descriptors - 1
        .long   TRAMPOLINE + (descriptors - trampoline)
trampoline_end:

        .code32
protected:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $1, %eax
        lock xaddl %eax, processors_begun
        incl    %eax
        imull   $STACK_SIZE, %eax, %esp
        addl    $processor_stacks, %esp
        call    processor
stop:   cli
        hlt
        jmp     stop

        .section .note.GNU-stack, "", @progbits
