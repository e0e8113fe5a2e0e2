/*
 * The part of the monitor that runs in the guest: code for #GP that spares the commonest traps their exits.
 *
 * On the software KVM an exit costs 30 us and this 7. It does two things itself, hvt's PUTS into a log that the VMM writes
 * out later, and WRMSR of the FS base; everything else goes on to the stub and to the VMM. It runs in ring 3 on pages
 * that the guest reaches: whatever the guest does to it, the guest could have done without it. But it must not fault: an
 * exception of its own would take the place of the one in hand. So it reads only where all is mapped.
 * In C, because an assembler writes it better than a list of numbers. Read next: ../../../Sources/Deprivileged/Monitor.swift.
 */
#ifndef CDEPRIVILEGED_H
#define CDEPRIVILEGED_H

#include <stdint.h>

#define CDEPRIVILEGED_STRING_(x) #x
#define CDEPRIVILEGED_STRING(x) CDEPRIVILEGED_STRING_(x)

/* Where the code lies in the page of stubs, and its first words, which the VMM fills in. */
#define CDEPRIVILEGED_OFFSET 0x200
#define CDEPRIVILEGED_MEMORY_START 0 /* between these two all is mapped for reading */
#define CDEPRIVILEGED_MEMORY_END 1
#define CDEPRIVILEGED_LOG 2    /* the log: bytes in it, whether it is open, then the bytes */
#define CDEPRIVILEGED_WRFSBASE 3 /* not 0: the CPU has WRFSBASE */
#define CDEPRIVILEGED_FAR_START 4 /* but not between these two; both 0: there is no such place */
#define CDEPRIVILEGED_FAR_END 5
#define CDEPRIVILEGED_ENTRY 6

/* Bytes that the log has room for; the rest of its page is the stack. */
#define CDEPRIVILEGED_LOG_CAPACITY 3072

/* Stub 13 is a jump here; from its byte 8 on it is the exit that other stubs are. */
#define CDEPRIVILEGED_SLOW (CDEPRIVILEGED_OFFSET - 13 * 16 - 8)

/* Word n of the code; 0 behind its end. */
static inline uint64_t cdeprivileged_word(unsigned n)
{
    const uint64_t *start, *end;
    __asm__("jmp 9f\n"
            ".balign 8\n"
            "1: .quad 0, 0, 0, 0, 0, 0\n" /* memory's start and end, log, WRFSBASE, what is far */
            /* On the stack: error code, RIP, CS, RFLAGS, RSP, SS. A gate leaves AC and DF as they are. */
            "pushq %%rbx; pushq %%rcx; pushq %%rsi; pushq %%rdi\n"
            "pushfq; andl $0xfffbffff, (%%rsp); popfq; cld\n"
            "cmpq $0, 32(%%rsp); jne 8f\n"
            /* RIP, and the byte behind it, are memory. */
            "movq 40(%%rsp), %%rbx\n"
            "movq 1b+8(%%rip), %%rdi; decq %%rdi\n"
            "cmpq 1b(%%rip), %%rbx; jb 8f; cmpq %%rdi, %%rbx; jae 8f\n"
            "cmpq 1b+32(%%rip), %%rbx; jb 2f; cmpq 1b+40(%%rip), %%rbx; jb 8f\n"
            "2: cmpb $0xef, (%%rbx); jne 5f\n" /* OUT DX, EAX */

            /* PUTS: EAX is the address of { data, length }. */
            "cmpw $0x502, %%dx; jne 8f\n"
            "movl %%eax, %%ebx\n"
            "subq $15, %%rdi; cmpq 1b(%%rip), %%rbx; jb 8f; cmpq %%rdi, %%rbx; jae 8f\n"
            "cmpq 1b+32(%%rip), %%rbx; jb 3f; cmpq 1b+40(%%rip), %%rbx; jb 8f\n"
            "3: movq (%%rbx), %%rsi; movq 8(%%rbx), %%rcx\n"
            "cmpq 1b(%%rip), %%rsi; jb 8f\n"
            "movq 1b+8(%%rip), %%rdi; subq %%rsi, %%rdi; jbe 8f; cmpq %%rdi, %%rcx; jae 8f\n"
            "movq %%rsi, %%rdi; addq %%rcx, %%rdi; cmpq 1b+32(%%rip), %%rdi; jb 4f; cmpq 1b+40(%%rip), %%rsi; jb 8f\n"
            /* The log is open and has room. Both words may be anything: the guest can write them. */
            "4: movq 1b+16(%%rip), %%rdi\n"
            "cmpq $1, 8(%%rdi); jne 8f\n"
            "movq (%%rdi), %%rbx; cmpq $" CDEPRIVILEGED_STRING(CDEPRIVILEGED_LOG_CAPACITY) ", %%rbx; ja 8f\n"
            "addq %%rcx, %%rbx; cmpq $" CDEPRIVILEGED_STRING(CDEPRIVILEGED_LOG_CAPACITY) ", %%rbx; ja 8f\n"
            "leaq 16(%%rdi,%%rbx), %%rdi; subq %%rcx, %%rdi; rep movsb\n"
            /* Only now are they in the log: a kick may have come meanwhile. */
            "movq 1b+16(%%rip), %%rdi; movq %%rbx, (%%rdi)\n"
            "incq 40(%%rsp); jmp 7f\n"

            /* WRMSR of the FS base, with an address that is canonical. */
            "5: cmpw $0x300f, (%%rbx); jne 8f\n"
            "cmpl $0xc0000100, %%ecx; jne 8f\n"
            "cmpq $0, 1b+24(%%rip); je 8f\n"
            "movq %%rdx, %%rcx; shlq $32, %%rcx; movl %%eax, %%ebx; orq %%rbx, %%rcx\n"
            "movq %%rcx, %%rbx; sarq $47, %%rbx; incq %%rbx; cmpq $1, %%rbx; ja 8f\n"
            "wrfsbase %%rcx\n"
            "addq $2, 40(%%rsp)\n"

            /* SS may be 3 after a delivery with IST (QEMU's SVM), which IRETQ refuses. */
            "7: movq $0x2b, 72(%%rsp)\n"
            "popq %%rdi; popq %%rsi; popq %%rcx; popq %%rbx; addq $8, %%rsp; iretq\n"

            "8: popq %%rdi; popq %%rsi; popq %%rcx; popq %%rbx; jmp 1b-" CDEPRIVILEGED_STRING(CDEPRIVILEGED_SLOW) "\n"
            ".balign 8\n"
            "9: leaq 1b(%%rip), %0; leaq 9b(%%rip), %1"
            : "=r"(start), "=r"(end));
    return n < (unsigned)(end - start) ? start[n] : 0;
}

#endif
