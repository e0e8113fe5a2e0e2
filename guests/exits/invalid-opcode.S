/*
 * invalid-opcode: UD2 and a handler that steps over it: an exception that the guest handles itself.
 */
#include "exits.h"

        BEGIN   exception=handler
        START
        ud2                             /* 2 bytes */
        STOP
        END
handler:
        STEP_OVER 2
