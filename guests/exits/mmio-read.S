/*
 * mmio-read: a load of four bytes from where no memory is.
 */
#include "exits.h"

#ifdef REAL_MODE
#define NOWHERE %es:0
#else
#define NOWHERE EXITS_MMIO
#endif
        BEGIN
        START
        movl    NOWHERE, %eax
        STOP
        END
