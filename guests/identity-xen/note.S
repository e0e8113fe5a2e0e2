/* The note by which a boot loader knows a PVH kernel, and its entry (pvh/pvh.h). */
#include "../pvh/pvh.h"

        PVH_NOTE start
