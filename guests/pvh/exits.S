/*
 * pvh-exits: has QEMU run an operation of guests/exits, the very bytes that the test rig runs.
 *
 * Whoever starts QEMU has put them and the number of samples into its memory, at the rig's addresses, and finds the samples
 * there afterwards (swiftlet-bench/Programs/QEMU.swift). Here the CPU is brought to where the rig's is at ring 0: 64-bit mode,
 * the first two MiB mapped by 4 KiB pages. microvm has memory where the rig has none (EXITS_MMIO), so that page is
 * mapped to an address where it has none either. The operation ends with an OUT to EXITS_DONE, QEMU's debug exit.
 */
#include "../exits/exits.h"
#include "pvh.h"

#define CODE 0x40000            /* Sources/Rig/RigMap.swift */
#define STACK_TOP 0x6fff0
#define NOBODY 0xd0000000       /* neither memory nor device of microvm */

#define PRESENT_WRITABLE_USER 7
#define EFER 0xc0000080
#define LONG_MODE_AND_NX 0x900
#define CR4_PAE 0x20
#define CR0_PG_WP_NE_ET_MP_PE 0x80010033
#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10

        .text
        .code32
        .globl  start
start:  lgdt    descriptors
        movl    $root, %eax
        movl    %eax, %cr3
        movl    $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $EFER, %ecx
        xorl    %edx, %edx
        movl    $LONG_MODE_AND_NX, %eax
        wrmsr
        movl    $CR0_PG_WP_NE_ET_MP_PE, %eax
        movl    %eax, %cr0
        ljmp    $CODE_SELECTOR, $long_mode
        .code64
long_mode:
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $STACK_TOP, %esp
        movl    $CODE, %eax
        jmp     *%rax

        .balign 8
gdt:    .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
descriptors:
        .word   descriptors - gdt - 1
        .long   gdt

        .balign 4096
root:   .quad   pointers + PRESENT_WRITABLE_USER
        .balign 4096
pointers:
        .quad   directory + PRESENT_WRITABLE_USER
        .balign 4096
directory:
        .quad   pages + PRESENT_WRITABLE_USER
        .balign 4096
pages:  .set    address, 0
        .rept   512
        .if     address == EXITS_MMIO
        .quad   NOBODY + PRESENT_WRITABLE_USER
        .else
        .quad   address + PRESENT_WRITABLE_USER
        .endif
        .set    address, address + 4096
        .endr

        PVH_NOTE start
