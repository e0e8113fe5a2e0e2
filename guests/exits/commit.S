/*
 * commit: changes entries of a page table, then has the host make them count, as the commit call of docs/ABI.md does;
 * 64-bit mode only. The operand is the table's address and, in its low bits, the number of entries, at most 512. Each
 * sample takes away or gives back the right to write.
 */
#include "both.h"

        ENTER
        ADDRESS_AND_COUNT
next:   BEFORE
        EDIT_AND_COMMIT
        AFTER
        LEAVE
