/*
 * The first instructions of an hvt unikernel. RDI holds boot info's address, RSP a stack aligned as after a call, and all
 * registers that C needs are set: so C begins at once, and what it returns is the exit status.
 *
 * There is no IDT: an exception ends the machine. Read next: hvt.h.
 */
        .section .text.start, "ax", @progbits
        .globl  start
        .type   start, @function
start:
        xorl    %ebp, %ebp
        subq    $24, %rsp               /* struct hvt_halt below the return address's place */
        call    hvt_main
        movq    $0, (%rsp)              /* no cookie */
        movl    %eax, 8(%rsp)
        movq    %rsp, %rax              /* an address below 4 GiB */
        movl    $0x508, %edx
        outl    %eax, %dx               /* halt; does not return */
1:      jmp     1b
        .size   start, . - start

        /* No such interpreter exists: so that a host does not run the file as a program of its own. */
        .section .interp, "a", @progbits
        .asciz  "/nonexistent/solo5/"

        .section .note.GNU-stack, "", @progbits
