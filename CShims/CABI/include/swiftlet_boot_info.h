/*
 * Boot info: what a guest is told when it starts. RDI holds its address at the entry point.
 *
 * A guest entered by Swiftlet is in 64-bit mode at CPL 3 with paging on, an identity map of all its memory (W^X by
 * segment), a stack with a guard page under it, SSE and AVX enabled and interrupts on. It needs no privileged
 * instruction, ever. All addresses here are guest-physical, and virtual by the identity map.
 * Read next: swiftlet_call_page.h.
 */
#ifndef SWIFTLET_BOOT_INFO_H
#define SWIFTLET_BOOT_INFO_H

#define SWIFTLET_BOOT_MAGIC 0x54454c5446495753 /* "SWIFTLET" read as a little-endian word */

/* memory_map entry types */
#define SWIFTLET_MEMORY_FREE 1        /* the guest's, and nothing is in it */
#define SWIFTLET_MEMORY_MACHINE 2     /* descriptor tables and stubs: read-only for the guest */
#define SWIFTLET_MEMORY_BOOT_INFO 3   /* this struct, the memory map and the command line */
#define SWIFTLET_MEMORY_VCPU 4        /* call pages and report stacks */
#define SWIFTLET_MEMORY_IMAGE 5       /* the loaded segments */
#define SWIFTLET_MEMORY_STACK 6       /* the first vCPU's stack, without its guard page */
#define SWIFTLET_MEMORY_PAGE_TABLES 7 /* the guest's own page tables */
#define SWIFTLET_MEMORY_MODULE 8      /* the file given with --module */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct swiftlet_memory_range {
    uint64_t start; /* bytes, page-aligned */
    uint64_t size;  /* bytes, a multiple of the page size */
    uint32_t type;  /* SWIFTLET_MEMORY_... */
    uint32_t reserved;
};

/* The host's CPUID feature words, limited to what this machine lets the guest use (Intel SDM vol. 2A, CPUID). */
struct swiftlet_cpu_features {
    uint32_t leaf1_ecx;
    uint32_t leaf1_edx;
    uint32_t leaf7_ebx;
    uint32_t leaf7_ecx;
    uint32_t leaf7_edx;
    uint32_t leaf80000001_ecx;
    uint32_t leaf80000001_edx;
    uint32_t reserved;
    uint64_t xcr0; /* XCR0 as set: bit 1 SSE, bit 2 AVX, bits 5-7 AVX-512 */
};

struct swiftlet_boot_info {
    uint64_t magic;   /* SWIFTLET_BOOT_MAGIC */
    uint32_t size;    /* bytes of this struct that are valid: newer VMMs append fields */
    uint32_t version; /* SWIFTLET_ABI_VERSION of the VMM */

    uint64_t memory_size;       /* bytes, as given with --mem */
    uint64_t memory_map;        /* address of struct swiftlet_memory_range[] sorted by start */
    uint32_t memory_map_count;  /* entries */
    uint32_t vcpu_count;        /* vCPUs, of which the first runs: --cpus */
    uint64_t page_table_root;   /* address of the PML4 */
    uint64_t call_page;         /* address of the first vCPU's struct swiftlet_call_page */
    uint64_t command_line;      /* address of a NUL-terminated string: the guest's arguments, joined by spaces */
    uint64_t command_line_size; /* bytes without the NUL */
    uint64_t module;            /* address of the data module, 0 when none was given */
    uint64_t module_size;       /* bytes */
    uint64_t free_start;        /* the largest free range: here a guest puts its heap */
    uint64_t free_end;
    uint64_t stack_bottom;      /* lowest byte of the stack; the page below it is unmapped */
    uint64_t stack_top;
    uint64_t image_start;       /* where the image's lowest segment was loaded */
    uint64_t image_end;
    uint64_t tsc_frequency;     /* Hz */
    struct swiftlet_cpu_features features;
    uint8_t entropy_seed[32];   /* fresh from the host's generator, different at every start */
    uint64_t memory_max;        /* bytes: memory_size, and what the grow call may add to it */
    uint64_t memory_step;       /* bytes that grow gives at a time, a multiple of 2 MiB; 0 when there is nothing to add */
    uint64_t devices;           /* address of struct swiftlet_device[], 0 when there is none */
    uint64_t device_count;      /* as many as the image declares */
};

_Static_assert(sizeof(struct swiftlet_memory_range) == 24, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_cpu_features) == 40, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_boot_info) == 248, "part of the ABI: append only");
#endif

#endif
