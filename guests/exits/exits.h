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
 * A stamp is FENCE, RDTSC, FENCE: RDTSC waits for what is before it and nothing behind it begins early (Intel SDM vol. 2B,
 * RDTSC). The fence is LFENCE. In real mode it is MOV to CR2, which serialises too (vol. 3A, 9.3), changes nothing there, and
 * causes no exit on VMX and SVM: KVM's emulator, by which a software KVM runs real mode, knows no LFENCE there.
 * RDTSCP would do one half, but that emulator lacks it in all modes. What two stamps cost with nothing between them is a
 * row of the report (clock.S).
 *
 * EBP (samples to go), EBX (the next sample), ESI and EDI (the first stamp) belong to the macros, R8 in 64-bit code is the
 * operand that the rig gives. A stamp changes EAX and EDX. Where a handler takes the second stamp, the code behind START
 * waits for ECX, which is zero before START and which the handler sets:
 *
 *         BEGIN interrupt=handler
 *         xorl %ecx, %ecx
 *         START
 *         ...                     what causes the interrupt
 *         AWAIT
 *         END
 * handler: STOP
 *         RETURN
 */
#ifndef GUEST_EXITS_H
#define GUEST_EXITS_H

/* Guest-physical addresses: Sources/Rig/RigMap.swift. In real mode DS is the page's segment and ES that of MMIO. */
#define EXITS_PAGE 0x50000
#define EXITS_MMIO 0xa0000
#define EXITS_LOCAL_APIC 0xfee00000

/* The page: how many samples to take, the operand, a call's struct, the words by which a thread of the host is talked to
 * (a cache line each), the samples (two 64-bit time stamps each). */
#define EXITS_COUNT 0x00
#define EXITS_OPERAND 0x08
#define EXITS_CALL 0x10
#define EXITS_REQUEST 0x40
#define EXITS_REPLY 0x80
#define EXITS_SAMPLES 0xc0

/* Room in the middle of the stack's segment. */
#define EXITS_STACK 0x60000
#define EXITS_BUFFER 0x4000

/* Ports. PORT is nobody's, or the rig has given it to an eventfd or to the ring of coalesced writes. */
#define EXITS_PORT 0xe9
#define EXITS_DONE 0xf4

/* Registers of the local APIC (Intel SDM vol. 3A, table 11-1). */
#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_TIMER 0x320
#define APIC_INITIAL_COUNT 0x380
#define APIC_DIVIDE 0x3e0

/* A model-specific register that KVM answers itself on every CPU: IA32_MISC_ENABLE. */
#define EXITS_MSR 0x1a0

#ifdef REAL_MODE
#define SAMPLE bx
#define PAGE(offset) offset
#define FENCE movl %eax, %cr2
#define PUSH(register) pushl %e##register
#define POP(register) popl %e##register
#define RETURN_FROM_HANDLER iretw
#else
#define SAMPLE rbx
#define PAGE(offset) (EXITS_PAGE + offset)
#define FENCE lfence
#define PUSH(register) pushq %r##register
#define POP(register) popq %r##register
#define RETURN_FROM_HANDLER iretq
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
        movl    PAGE(EXITS_COUNT), %ebp
#else
        movl    $(EXITS_PAGE + EXITS_SAMPLES), %ebx
        movl    PAGE(EXITS_COUNT), %ebp
        movq    PAGE(EXITS_OPERAND), %r8
#endif
again:
.endm

.macro START
        FENCE
        rdtsc
        FENCE
        movl    %eax, %esi
        movl    %edx, %edi
.endm

.macro STOP
        FENCE
        rdtsc
        FENCE
        movl    %esi, (%SAMPLE)
        movl    %edi, 4(%SAMPLE)
        movl    %eax, 8(%SAMPLE)
        movl    %edx, 12(%SAMPLE)
.endm

/* Spins until a handler has set ECX. */
.macro AWAIT
2:      testl   %ecx, %ecx
        jz      2b
.endm

/* Leaves the handler of an interrupt. */
.macro RETURN
        movl    $1, %ecx
        RETURN_FROM_HANDLER
.endm

/* R9 is the local APIC, enabled. */
.macro LOCAL_APIC
        movl    $EXITS_LOCAL_APIC, %r9d
        movl    $0x1ff, APIC_SPURIOUS(%r9)
.endm

/* The end of an exception's handler: goes on behind the instruction of so many bytes. An error code is off the stack by
 * then. */
.macro STEP_OVER length
#ifdef REAL_MODE
        addw    $\length, (%esp)
        iretw
#else
        addq    $\length, (%rsp)
        iretq
#endif
.endm

/* The handler of the local APIC's interrupt: the second stamp is its first act. */
.macro APIC_HANDLER
        STOP
        movl    $0, APIC_EOI(%r9)
        RETURN
.endm

.macro END
        addl    $16, %ebx
        decl    %ebp
        jnz     again
done:   outl    %eax, $EXITS_DONE
        jmp     done
.endm

#endif
