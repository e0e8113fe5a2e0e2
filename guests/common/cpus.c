/*
 * The implementation of cpus.h: what a new vCPU does first lies at the top of its stack.
 */
#include "guest.h"

#define STACK_SIZE (16 * PAGE_SIZE)

struct beginning {
    void (*function)(uint64_t argument);
    uint64_t argument;
};

static void begin(const struct beginning *beginning)
{
    beginning->function(beginning->argument);
    for (;;)
        call_poll(SWIFTLET_NO_DEADLINE, 0);
}

void cpu_start(unsigned cpu, void (*function)(uint64_t argument), uint64_t argument)
{
    uint64_t top = (uint64_t)allocate(STACK_SIZE) + STACK_SIZE - sizeof(struct beginning);
    *(struct beginning *)top = (struct beginning){function, argument};
    /* As after a call: 8 below a multiple of 16. */
    *CALL_ARGUMENTS(struct swiftlet_start_vcpu) = (struct swiftlet_start_vcpu){
        .vcpu = cpu, .entry = (uint64_t)begin, .stack = top - 8, .argument = top,
    };
    call(SWIFTLET_CALL_START_VCPU);
}

unsigned cpu_number(void)
{
    return call_page()->vcpu;
}
