/*
 * start.S: from a boot protocol's entry to C, with a stack. EAX and EBX, which the protocols fill, become arguments.
 */
        .text
        .globl  start
start:  movl    $stack, %esp
        pushl   %ebx
        pushl   %eax
        call    kernel
stop:   cli
        hlt
        jmp     stop

        .bss
        .balign 16
        .space  4096
stack:

        .section .note.GNU-stack, "", @progbits
