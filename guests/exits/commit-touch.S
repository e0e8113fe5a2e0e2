/*
 * commit-touch: as commit.S, and then reads each of the pages, where a KVM that shadows page tables pays for the commit;
 * 64-bit mode only. The table maps what begins at 1 GiB.
 */
#include "both.h"

        ENTER
        ADDRESS_AND_COUNT
next:   BEFORE
        EDIT_AND_COMMIT
        movl    $0x40000000, %esi
        movl    %r9d, %ecx
2:      movl    (%rsi), %eax
        addl    $4096, %esi
        decl    %ecx
        jnz     2b
        AFTER
        LEAVE
