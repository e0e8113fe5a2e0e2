/*
 * mmio-write: a store of four bytes where no memory is. The kernel must decode the instruction, unlike an OUT.
 */
#include "exits.h"

#ifdef REAL_MODE
#define NOWHERE %es:0
#else
#define NOWHERE EXITS_MMIO
#endif
        BEGIN
        START
        movl    %eax, NOWHERE
        STOP
        END
