/*
 * The 256 stubs that lead from a vector to C: each pushes what the CPU did not (an error code for vectors without one,
 * the vector number), the common part pushes the registers. Together that is struct exception_frame (exceptions.h).
 *
 * Handlers may use SSE, because compilers do, so the stub saves x87 and XMM by FXSAVE. That is enough: the guest's C is
 * built for baseline x86-64, whose instructions leave the upper halves of YMM and ZMM as they are.
 */

/* Vectors for which the CPU pushes an error code (swiftlet_calls.h, struct swiftlet_handler). */
#define HAS_ERROR_CODE(vector) \
        (vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)

        .section .text.exception_stubs, "ax", @progbits
        .globl  exception_stubs
        .type   exception_stubs, @function
        .balign 16
exception_stubs:
        .set    vector, 0
        .rept   256
        .balign 16                      /* exceptions.c finds stub n at 16 * n */
        .if     !(HAS_ERROR_CODE(vector))
        pushq   $0
        .endif
        pushq   $vector
        jmp     exception_common
        .set    vector, vector + 1
        .endr
        .size   exception_stubs, . - exception_stubs

        .type   exception_common, @function
exception_common:
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %rbp
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, %rdi              /* 22 words below where the CPU aligned RSP: a multiple of 16 */
        subq    $512, %rsp
        fxsave64 (%rsp)
        cld                             /* as C expects it; iretq brings back the old flags */
        call    exception_dispatch
        fxrstor64 (%rsp)
        addq    $512, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rbp
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rbx
        popq    %rax
        addq    $16, %rsp               /* vector and error code */
        iretq
        .size   exception_common, . - exception_common

        .section .note.GNU-stack, "", @progbits
