/*
 * clock: nothing between two time stamps, which is what every other sample here contains too.
 */
#include "exits.h"

        BEGIN
        START
        STOP
        END
