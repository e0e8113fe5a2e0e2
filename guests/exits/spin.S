/*
 * spin: counts for ever, so that a thread of the host sees that the guest runs, and kicks it out.
 */
#include "exits.h"

        BEGIN
1:      incl    PAGE(EXITS_REQUEST)
        jmp     1b
