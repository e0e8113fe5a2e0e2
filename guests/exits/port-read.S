/*
 * port-read: IN of four bytes from a port that nobody owns: an exit, and its answer goes back with the next KVM_RUN.
 */
#include "exits.h"

        BEGIN
        START
        inl     $EXITS_PORT, %eax
        STOP
        END
