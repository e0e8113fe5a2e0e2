/*
 * pvh.h: the note by which QEMU's microvm machine recognises a PVH kernel and learns where to enter it: in 32-bit protected
 * mode with flat segments, paging off (Xen, docs/misc/pvh.pandoc; include/public/elfnote.h).
 *
 * The guests here run under QEMU, not under Swiftlet: `swiftlet bench` compares the two. pvh-hello runs under both.
 */
#ifndef GUEST_PVH_H
#define GUEST_PVH_H

#define XEN_ELFNOTE_PHYS32_ENTRY 18

.macro PVH_NOTE entry
        .section .note.pvh, "a", @note
        .balign 4
        .long   2f - 1f
        .long   4f - 3f
        .long   XEN_ELFNOTE_PHYS32_ENTRY
1:      .asciz  "Xen"
2:      .balign 4
3:      .long   \entry
4:
        .section .note.GNU-stack, "", @progbits
.endm

#endif
