/*
 * The first instructions of a guest, and the ELF note by which the VMM recognises one.
 *
 * The VMM enters here with everything ready (swiftlet_boot_info.h): RDI holds boot info's address, RSP a stack aligned
 * as after a call. So there is nothing to set up, and C begins at once. Read next: start.c.
 */
#include "swiftlet_abi.h"

        .section .text.start, "ax", @progbits
        .globl  start
        .type   start, @function
start:
        xorl    %ebp, %ebp              /* a backtrace ends here */
        jmp     start_c                 /* keeps the alignment that the VMM gave */
        .size   start, . - start

        .section SWIFTLET_NOTE_SECTION, "a", @note
        .balign 4
        .long   2f - 1f                 /* size of the owner's name */
        .long   4f - 3f                 /* size of the descriptor */
        .long   SWIFTLET_NOTE_TYPE
1:      .asciz  SWIFTLET_NOTE_OWNER
2:      .balign 4
3:      .long   SWIFTLET_ABI_VERSION
        .long   SWIFTLET_NOTE_RING3
4:

        .section .note.GNU-stack, "", @progbits
