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

/* An operand that is a page's address and, in its low bits, a number: R8 the address, R9 the number, or 2 to its power. */
.macro ADDRESS_AND_COUNT
        movl    %r8d, %r9d
        andl    $0xfff, %r9d
        andq    $-4096, %r8
.endm

.macro ADDRESS_AND_STEP
        movl    %r8d, %ecx
        movl    $1, %r9d
        shlq    %cl, %r9                /* by the low six bits */
        andq    $-4096, %r8
.endm

/* R9 entries of the page table at R8: takes away or gives back the right to write, then has the host make that count. */
.macro EDIT_AND_COMMIT
        movl    %r9d, %ecx
1:      xorq    $2, -8(%r8,%rcx,8)
        decl    %ecx
        jnz     1b
        outl    %eax, $EXITS_PORT
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
