/*
 * shared-memory: a number in one word, until a spinning thread of the host has put it into another.
 */
#include "exits.h"

        BEGIN
        START
        movl    %ebp, PAGE(EXITS_REQUEST)
1:      cmpl    %ebp, PAGE(EXITS_REPLY)
        jne     1b
        STOP
        END
