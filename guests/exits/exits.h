/*
 * exits.h: how every guest in this folder measures one thing: time stamp, operation, time stamp, again and again.
 *
 * Each NAME.S is one operation, assembled twice: as 64-bit code (build/exits/NAME.bin), which runs at ring 3 and at
 * ring 0, and as 16-bit code for real mode (build/exits/NAME-real.bin). It has no note and no ELF headers: the test rig
 * (Sources/Rig) loads the bytes, enters them at the first, and reads the samples when the guest says that it is done.
 *
 *         BEGIN                   entry, and the loop's head
 *         ...                     what must be ready, not measured
 *         START
 *         out %eax, $PORT         the operation; it may change EAX, ECX, EDX
 *         STOP
 *         END
 *
 * A stamp is LFENCE, RDTSC, LFENCE: RDTSC waits for what is before it and nothing behind it begins early (Intel SDM vol.
 * 2B, RDTSC). RDTSCP would do the first half, but the software KVM cannot emulate it at ring 0. What two stamps cost with
 * nothing between them is a row of the report (clock.S).
 *
 * EBP and EBX (the next sample), ESI and EDI (the first stamp) belong to the macros, R8 in 64-bit code is the operand that
 * the rig gives.
 */
#ifndef GUEST_EXITS_H
#define GUEST_EXITS_H

/* Guest-physical addresses: Sources/Rig/RigMap.swift. In real mode DS is the page's segment and ES that of MMIO. */
#define EXITS_PAGE 0x50000
#define EXITS_MMIO 0xa0000
#define EXITS_LOCAL_APIC 0xfee00000

/* The page: how many samples to take, the operand, the samples (two 64-bit time stamps each). */
#define EXITS_COUNT 0x00
#define EXITS_OPERAND 0x08
#define EXITS_SAMPLES 0x40

/* Ports. Nobody in the kernel owns PORT; the doorbell's is given to an eventfd, or coalesced, by the rig. */
#define EXITS_PORT 0xe9
#define EXITS_DOORBELL 0xe8
#define EXITS_DONE 0xf4

#ifdef REAL_MODE
#define SAMPLE bx
#else
#define SAMPLE rbx
#endif

/* What the rig looks for at the start: a jump over the offsets of the handlers for exceptions and for interrupts, 0
 * without one. */
.macro BEGIN exception=0, interrupt=0
#ifdef REAL_MODE
        .code16
#endif
        .text
begin:  jmp     1f
        .balign 8
        .long   \exception
        .long   \interrupt
1:
#ifdef REAL_MODE
        movw    $EXITS_SAMPLES, %bx
        movl    EXITS_COUNT, %ebp
#else
        movl    $(EXITS_PAGE + EXITS_SAMPLES), %ebx
        movl    (EXITS_PAGE + EXITS_COUNT), %ebp
        movq    (EXITS_PAGE + EXITS_OPERAND), %r8
#endif
again:
.endm

.macro START
        lfence
        rdtsc
        lfence
        movl    %eax, %esi
        movl    %edx, %edi
.endm

.macro STOP
        lfence
        rdtsc
        lfence
        movl    %esi, (%SAMPLE)
        movl    %edi, 4(%SAMPLE)
        movl    %eax, 8(%SAMPLE)
        movl    %edx, 12(%SAMPLE)
.endm

.macro END
        addl    $16, %ebx
        decl    %ebp
        jnz     again
done:   outl    %eax, $EXITS_DONE
        jmp     done
.endm

#endif
