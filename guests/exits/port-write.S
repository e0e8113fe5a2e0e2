/*
 * port-write: OUT of four bytes to a port that nobody owns, the plainest exit to user space.
 */
#include "exits.h"

        BEGIN
        START
        outl    %eax, $EXITS_PORT
        STOP
        END
