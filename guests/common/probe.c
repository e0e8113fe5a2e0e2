/*
 * Each probe notes where to go on, then tries. The handler sends a faulting probe there with the error code as its
 * result; a page fault of anything else is a failed check.
 */
#include "guest.h"

static uint64_t resume_rip; /* 0 while nothing is being probed */

static void recover(struct exception_frame *frame)
{
    check(resume_rip != 0, "only probes fault");
    frame->rip = resume_rip;
    frame->r12 = frame->error_code;
}

static void prepare(void)
{
    static bool installed;
    if (!installed)
        exception_handle(VECTOR_PAGE_FAULT, recover);
    installed = true;
}

/* R12 carries the result and RBX keeps RSP, because a call that faults has pushed its return address: two registers
 * that a called function leaves alone. */
#define PROBE(instruction)                                                                             \
    register int64_t result __asm__("r12") = PROBE_NO_FAULT;                                           \
    prepare();                                                                                         \
    __asm__ volatile("movq %%rsp, %%rbx\n\t"                                                           \
                     "leaq 1f(%%rip), %%rax\n\t"                                                       \
                     "movq %%rax, %[resume]\n\t" instruction "\n"                                      \
                     "1:\tmovq %%rbx, %%rsp\n\t"                                                       \
                     "movq $0, %[resume]"                                                              \
                     : "+r"(result), [resume] "+m"(resume_rip), "+D"(address)                          \
                     :                                                                                 \
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");   \
    return result

int64_t probe_read(uint64_t address)
{
    PROBE("movb (%%rdi), %%dl");
}

int64_t probe_write(uint64_t address)
{
    PROBE("movb $0, (%%rdi)");
}

int64_t probe_execute(uint64_t address)
{
    PROBE("call *%%rdi");
}
