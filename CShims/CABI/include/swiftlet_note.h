/*
 * The ELF note that makes an image a Swiftlet guest: owner "Swiftlet", type 1, descriptor {abi_version, flags}.
 *
 * A note and not a magic header, because every linker keeps notes in a PT_NOTE segment that a loader finds without
 * reading sections (System V gABI, "Note Section"). Read next: swiftlet_boot_info.h.
 */
#ifndef SWIFTLET_NOTE_H
#define SWIFTLET_NOTE_H

#define SWIFTLET_NOTE_OWNER "Swiftlet"
#define SWIFTLET_NOTE_TYPE 1
#define SWIFTLET_NOTE_SECTION ".note.swiftlet"

/* Flags: what the image is. A VMM refuses an image with a flag that it does not know. */
#define SWIFTLET_NOTE_RING3 0x1 /* runs wholly at CPL 3 in 64-bit mode; required in version 1 */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct swiftlet_note {
    uint32_t name_size;       /* 9: "Swiftlet" and its NUL */
    uint32_t descriptor_size; /* 8 */
    uint32_t type;            /* SWIFTLET_NOTE_TYPE */
    char name[12];            /* padded to a multiple of 4 */
    uint32_t abi_version;     /* the version the image was built for: at most the VMM's */
    uint32_t flags;           /* SWIFTLET_NOTE_... */
};

_Static_assert(sizeof(struct swiftlet_note) == 32, "the note's layout is the gABI's");
#endif

#endif
