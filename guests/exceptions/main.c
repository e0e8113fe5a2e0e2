/*
 * exceptions: a guest catches divide errors, invalid opcodes, page faults and general protection faults itself, also
 * one inside the handler of another, and goes on where it wants by editing the frame.
 *
 * The faulting instructions are written out in assembly, because a handler that skips one must know its length.
 */
#include "guest.h"

static unsigned caught[32]; /* by vector */

static void skip_two_bytes(struct exception_frame *frame)
{
    caught[frame->vector]++;
    frame->rip += 2;
}

/* Puts right what the divide failed on and lets it run again. */
static void repair_divisor(struct exception_frame *frame)
{
    caught[frame->vector]++;
    frame->rcx = 7;
}

static void read_page_zero(void)
{
    __asm__ volatile("movb (%%rcx), %%al" : : "c"(0ul) : "rax", "memory"); /* two bytes: 8a 01 */
}

/* Has two faults of its own before it deals with the first. */
static void fault_again(struct exception_frame *frame)
{
    read_page_zero();
    __asm__ volatile("ud2");
    skip_two_bytes(frame);
}

static uint64_t divide(uint64_t dividend, uint64_t divisor)
{
    uint64_t high = 0;
    __asm__ volatile("divq %%rcx" : "+a"(dividend), "+d"(high), "+c"(divisor) : : "cc");
    return dividend;
}

static void halt(void)
{
    __asm__ volatile("hlt; nop" ::: "memory"); /* privileged: a general protection fault */
}

/* Registers of all kinds pass through a handler that uses them: the stub's work. */
static void check_registers_survive(void)
{
    uint64_t xmm, rax = 0x1111, r15 = 0x2222;
    register uint64_t in_r15 __asm__("r15") = r15;
    __asm__ volatile("movq %2, %%xmm5; ud2; movq %%xmm5, %0"
                     : "=r"(xmm), "+a"(rax)
                     : "r"(0x123456789abcdeful), "r"(in_r15)
                     : "xmm5");
    check(xmm == 0x123456789abcdeful, "XMM registers survive a handler");
    check(rax == 0x1111 && in_r15 == 0x2222, "general registers survive a handler");
}

static void clobber_vectors(struct exception_frame *frame)
{
    __asm__ volatile("pcmpeqd %%xmm5, %%xmm5" ::: "xmm5");
    skip_two_bytes(frame);
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    exception_handle(VECTOR_DIVIDE_ERROR, repair_divisor);
    check(divide(42, 0) == 6, "the divide ran again with the divisor that the handler gave");
    check(caught[VECTOR_DIVIDE_ERROR] == 1, "one divide error was caught");

    exception_handle(VECTOR_INVALID_OPCODE, skip_two_bytes);
    __asm__ volatile("ud2");
    check(caught[VECTOR_INVALID_OPCODE] == 1, "one invalid opcode was caught");

    exception_handle(VECTOR_GENERAL_PROTECTION, skip_two_bytes);
    halt();
    check(caught[VECTOR_GENERAL_PROTECTION] == 1, "one general protection fault was caught");

    exception_handle(VECTOR_PAGE_FAULT, skip_two_bytes);
    read_page_zero();
    check(caught[VECTOR_PAGE_FAULT] == 1, "one page fault was caught");

    exception_handle(VECTOR_GENERAL_PROTECTION, fault_again);
    halt();
    check(caught[VECTOR_GENERAL_PROTECTION] == 2, "the outer one of nested faults was caught");
    check(caught[VECTOR_PAGE_FAULT] == 2 && caught[VECTOR_INVALID_OPCODE] == 2, "the inner ones were caught");

    exception_handle(VECTOR_INVALID_OPCODE, clobber_vectors);
    check_registers_survive();
    print("exceptions: ok\n");
    return 0;
}
