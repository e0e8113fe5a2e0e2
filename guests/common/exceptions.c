/*
 * From a stub to the handler of its vector, and what must be as it was when the interrupted code goes on.
 */
#include "guest.h"

#define STUB_SIZE 16
#define FIRST_INTERRUPT 32

extern const uint8_t exception_stubs[256 * STUB_SIZE];

void exception_dispatch(struct exception_frame *frame);

static exception_handler handlers[256];

void exception_handle(unsigned vector, exception_handler handler)
{
    /* The table before the call: the first event may come with the call's return. */
    if (handler != 0)
        handlers[vector] = handler;
    call_handler(vector, handler != 0 ? (uint64_t)&exception_stubs[vector * STUB_SIZE] : 0);
}

/* The interrupted code may be about to make a call, or about to read its results: a handler's own calls go through the
 * same place, so its content is kept here. */
void exception_dispatch(struct exception_frame *frame)
{
    uint8_t arguments[SWIFTLET_CALL_ARGUMENTS_SIZE];
    memcpy(arguments, call_page()->arguments, sizeof arguments);
    handlers[frame->vector](frame);
    if (frame->vector >= FIRST_INTERRUPT)
        interrupts_unmask();
    memcpy(call_page()->arguments, arguments, sizeof arguments);
}
