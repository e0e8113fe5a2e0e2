/*
 * A computation that lives in registers alone: all general ones, x87, MXCSR, masks, and the vectors at full width.
 *
 *     void churn_sse2(struct registers *state, uint64_t rounds)     and churn_avx2, churn_avx512
 *
 * loads everything from state, changes every register in each round by another one, and stores everything. For the time
 * between nothing of it is in memory, so that a snapshot which loses a bit of a register loses it for good. The layout of
 * state is in main.c. Read next: main.c.
 */
        .set    GENERAL, 0              /* 14 words: all but RSP and RDI, which points here, and RCX, the rounds */
        .set    X87, 0x80               /* 8 times 16 bytes */
        .set    MASKS, 0x100            /* 8 words */
        .set    CONTROL, 0x140          /* MXCSR, x87 control word, RFLAGS */
        .set    VECTORS, 0x180          /* 32 times 64 bytes */

        .macro  load_general
        movq    0x00(%rdi), %rax
        movq    0x08(%rdi), %rbx
        movq    0x10(%rdi), %rdx
        movq    0x18(%rdi), %rsi
        movq    0x20(%rdi), %rbp
        movq    0x28(%rdi), %r8
        movq    0x30(%rdi), %r9
        movq    0x38(%rdi), %r10
        movq    0x40(%rdi), %r11
        movq    0x48(%rdi), %r12
        movq    0x50(%rdi), %r13
        movq    0x58(%rdi), %r14
        movq    0x60(%rdi), %r15
        .endm

        .macro  store_general
        movq    %rax, 0x00(%rdi)
        movq    %rbx, 0x08(%rdi)
        movq    %rdx, 0x10(%rdi)
        movq    %rsi, 0x18(%rdi)
        movq    %rbp, 0x20(%rdi)
        movq    %r8, 0x28(%rdi)
        movq    %r9, 0x30(%rdi)
        movq    %r10, 0x38(%rdi)
        movq    %r11, 0x40(%rdi)
        movq    %r12, 0x48(%rdi)
        movq    %r13, 0x50(%rdi)
        movq    %r14, 0x58(%rdi)
        movq    %r15, 0x60(%rdi)
        .endm

        .macro  step_general            /* each register takes the next one in; the carry flag lives across */
        adcq    %rbx, %rax
        rolq    $7, %rax
        adcq    %rdx, %rbx
        adcq    %rsi, %rdx
        rolq    $13, %rdx
        adcq    %rbp, %rsi
        adcq    %r8, %rbp
        adcq    %r9, %r8
        rolq    $29, %r8
        adcq    %r10, %r9
        adcq    %r11, %r10
        adcq    %r12, %r11
        adcq    %r13, %r12
        adcq    %r14, %r13
        adcq    %r15, %r14
        adcq    %rax, %r15
        .endm

        .macro  load_x87
        fninit
        fldcw   CONTROL + 4(%rdi)
        ldmxcsr CONTROL(%rdi)
        .irp    n, 7, 6, 5, 4, 3, 2, 1, 0
        fldt    X87 + 16 * \n(%rdi)
        .endr
        .endm

        .macro  store_x87
        stmxcsr CONTROL(%rdi)
        fnstcw  CONTROL + 4(%rdi)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        fstpt   X87 + 16 * \n(%rdi)
        .endr
        .endm

        .macro  step_x87                /* the stack turns, so that all eight are used in turn */
        fincstp
        fchs
        .endm

        .macro  step_sse2 source, target
        paddq   %xmm\source, %xmm\target
        .endm
        .macro  step_avx2 source, target
        vpaddq  %ymm\source, %ymm\target, %ymm\target
        .endm
        .macro  step_avx512 source, target
        vpaddq  %zmm\source, %zmm\target, %zmm\target
        .endm

        .macro  load_masks_sse2
        .endm
        .macro  store_masks_sse2
        .endm
        .macro  step_masks_sse2
        .endm
        .macro  end_sse2
        .endm
        .macro  load_masks_avx2
        .endm
        .macro  store_masks_avx2
        .endm
        .macro  step_masks_avx2
        .endm
        .macro  end_avx2
        vzeroupper
        .endm
        .macro  load_masks_avx512
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        kmovq   MASKS + 8 * \n(%rdi), %k\n
        .endr
        .endm
        .macro  store_masks_avx512
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        kmovq   %k\n, MASKS + 8 * \n(%rdi)
        .endr
        .endm
        .macro  step_masks_avx512
        kxnorq  %k1, %k0, %k0
        kaddq   %k2, %k1, %k1
        kaddq   %k3, %k2, %k2
        kxorq   %k4, %k3, %k3
        kaddq   %k5, %k4, %k4
        kxorq   %k6, %k5, %k5
        kaddq   %k7, %k6, %k6
        kaddq   %k0, %k7, %k7
        .endm
        .macro  end_avx512
        vzeroupper
        .endm

        .macro  churn name, register, size, move, last, others:vararg
        .section .text.churn_\name, "ax", @progbits
        .globl  churn_\name
        .type   churn_\name, @function
churn_\name:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsi, %rcx
        load_x87
        load_masks_\name
        .irp    n, 0, \others
        \move   VECTORS + \n * 64(%rdi), %\register\n
        .endr
        load_general
        clc
1:      step_general
        .irp    n, \others
        step_\name 0, \n
        .endr
        step_\name \last, 0
        step_masks_\name
        step_x87
        decq    %rcx                    /* leaves the carry flag alone */
        jnz     1b
        setc    CONTROL + 8(%rdi)
        store_general
        .irp    n, 0, \others
        \move   %\register\n, VECTORS + \n * 64(%rdi)
        .endr
        store_masks_\name
        store_x87
        end_\name
        fninit
        cld
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret
        .size   churn_\name, . - churn_\name
        .endm

        churn   sse2, xmm, 16, movdqa, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        churn   avx2, ymm, 32, vmovdqa, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        churn   avx512, zmm, 64, vmovdqa64, 31, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, \
                20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31

        .section .note.GNU-stack, "", @progbits
