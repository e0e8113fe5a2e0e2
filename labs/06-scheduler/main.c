/*
 * 06-scheduler: two threads, and a timer that ticks. Nobody switches between them. Task: README.md.
 */
#include "guest.h"

#define TICK 32
#define SLICE (2 * MILLISECONDS)
#define STACK_SIZE (4 * PAGE_SIZE)

static struct exception_frame threads[2]; /* 0 is main's own */
static uint64_t stack; /* of thread 1 */
static volatile unsigned turn, turns, wanted;

static void on_tick(struct exception_frame *frame)
{
    /* The frame is the interrupted thread. Here the other one should go on. */
    (void)frame;
    call_timer(clock_now() + SLICE, TICK);
}

/* Each waits for its turn and gives it to the other. Neither makes a call, nor gives up the CPU. */
static void take_turns(uint64_t me)
{
    while (turns < wanted) {
        /* Once it is my turn, only I count: but the other may have had the last one since the line above. */
        if (turn != me || turns == wanted)
            continue;
        turns++;
        turn = !me;
    }
}

static void second_thread(uint64_t me)
{
    take_turns(me);
    for (;;)
        ;
}

static void make_thread(void (*function)(uint64_t), uint64_t argument)
{
    stack = (uint64_t)allocate(STACK_SIZE);
    threads[1] = (struct exception_frame){
        .vector = TICK,   /* so that its first return unmasks interrupts, as that of an interrupt does */
        .rip = (uint64_t)function,
        .rdi = argument,
        .rsp = stack + STACK_SIZE - 8, /* as after a call */
        .cs = 0x33,       /* docs/ABI.md, the machine at the entry point */
        .ss = 0x2b,
        .rflags = 0x3202, /* IOPL 3, IF, and bit 1, which is always set */
    };
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    wanted = (unsigned)argument_number(0, 20);
    make_thread(second_thread, 1);
    exception_handle(TICK, on_tick);
    call_timer(clock_now() + SLICE, TICK);
    take_turns(0);
    print("%u turns\n", turns);
    return 0;
}
