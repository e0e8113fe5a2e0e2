/*
 * Handlers in C (or Swift) for exceptions and interrupts.
 *
 * A handler gets the whole state of the code that was interrupted and may change it: what the frame says when the
 * handler returns is how that code goes on. It runs on the current stack, so a handler cannot save a guest whose stack
 * pointer is bad (that is a double fault). Vectors from 32 on are interrupts: they run masked and unmask at their end.
 */
#ifndef GUEST_EXCEPTIONS_H
#define GUEST_EXCEPTIONS_H

#include <stdint.h>

#define VECTOR_DIVIDE_ERROR 0
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14

/* bits of a page fault's error code (Intel SDM vol. 3A, section 4.7) */
#define PAGE_FAULT_PRESENT 0x01 /* the page is present but does not allow this; otherwise it is not present */
#define PAGE_FAULT_WRITE 0x02
#define PAGE_FAULT_USER 0x04
#define PAGE_FAULT_FETCH 0x10

/* What the stub of exceptions.S pushes, and above it what the CPU does. */
struct exception_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error_code; /* 0 for vectors that have none */
    uint64_t rip;        /* of the faulting instruction; of the next one after an interrupt */
    uint64_t cs;
    uint64_t rflags;
    uint64_t rsp;
    uint64_t ss;
};

_Static_assert(sizeof(struct exception_frame) == 22 * 8, "the order of pushes in exceptions.S");

typedef void (*exception_handler)(struct exception_frame *frame);

/* Installs the handler of a vector; with 0 takes it away, so that the vector stops the machine again. */
void exception_handle(unsigned vector, exception_handler handler);

#endif
