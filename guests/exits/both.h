/*
 * both.h: how code measures that runs on both sides, 64-bit mode only: as a guest of the rig at ring 3, and, the same bytes,
 * as a function in the host's own process (Sources/Rig/HostRun.swift). So what differs is being a guest.
 *
 *         ENTER                   entry; R8 is the operand
 *         ...
 * next:   BEFORE                  the first time stamp
 *         ...                     the operation
 *         AFTER                   the second
 *         ...
 *         LEAVE                   to `next` for another sample; then OUT to the done port, or RET
 *
 * RDI is the page of exits.h, at another address on the host. RBX (the next sample), EBP (samples to go) and R11 (the first
 * stamp) belong to the macros, RAX and RDX to the stamps. Entered again, a guest takes as many samples again.
 */
#ifndef GUEST_BOTH_H
#define GUEST_BOTH_H

#include "exits.h"

/* In the page, behind EXITS_COUNT: not 0 on the host. */
#define BOTH_HOST 0x04

.macro ENTER
        .text
entry:  pushq   %rbx
        pushq   %rbp
        leaq    EXITS_SAMPLES(%rdi), %rbx
        movl    EXITS_COUNT(%rdi), %ebp
        movq    EXITS_OPERAND(%rdi), %r8
.endm

/* RAX is the time (exits.h says why LFENCE). */
.macro STAMP
        lfence
        rdtsc
        lfence
        shlq    $32, %rdx
        orq     %rdx, %rax
.endm

.macro BEFORE
        STAMP
        movq    %rax, %r11
.endm

.macro AFTER
        STAMP
        movq    %r11, (%rbx)
        movq    %rax, 8(%rbx)
.endm

.macro LEAVE
        addq    $16, %rbx
        decl    %ebp
        jnz     next
        popq    %rbp
        popq    %rbx
        cmpl    $0, BOTH_HOST(%rdi)
        je      1f
        ret
1:      outl    %eax, $EXITS_DONE
        jmp     entry
.endm

#endif
