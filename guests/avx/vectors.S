/*
 * The same computation three times, by the registers of SSE2, AVX2 and AVX-512, all of them.
 *
 *     void mix_NAME(uint64_t *state, uint64_t rounds)
 *
 * loads every register from state, adds register 0 to each other one and the last to register 0 in each round (64-bit
 * lanes), and stores them. Written in assembly because only here "all registers" can be said. Read next: main.c.
 */

        .macro  add_sse2 source, target
        paddq   %xmm\source, %xmm\target
        .endm
        .macro  add_avx2 source, target
        vpaddq  %ymm\source, %ymm\target, %ymm\target
        .endm
        .macro  add_avx512 source, target
        vpaddq  %zmm\source, %zmm\target, %zmm\target
        .endm

        .macro  mix name, register, size, move, last, others:vararg
        .section .text.mix_\name, "ax", @progbits
        .globl  mix_\name
        .type   mix_\name, @function
mix_\name:
        .irp    n, 0, \others
        \move   \n * \size(%rdi), %\register\n
        .endr
1:      .irp    n, \others
        add_\name 0, \n
        .endr
        add_\name \last, 0
        decq    %rsi
        jnz     1b
        .irp    n, 0, \others
        \move   %\register\n, \n * \size(%rdi)
        .endr
        .endm

        mix     sse2, xmm, 16, movdqa, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        ret
        .size   mix_sse2, . - mix_sse2

        mix     avx2, ymm, 32, vmovdqa, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vzeroupper                      /* or the SSE code that follows is slow */
        ret
        .size   mix_avx2, . - mix_avx2

        mix     avx512, zmm, 64, vmovdqa64, 31, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, \
                20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vzeroupper
        ret
        .size   mix_avx512, . - mix_avx512

        .section .note.GNU-stack, "", @progbits
