/*
 * boot-sector: 512 bytes in real mode, as a BIOS starts them at 0x7c00, with the number of its disk in DL. There is no BIOS, so
 * it prints to the serial port. When the disk is the first, it halts; otherwise it asks the BIOS, which nobody answers.
 */
#define SERIAL 0x3f8
#define FIRST_DISK 0x80
#define FIRMWARE_VIDEO 0x10

        .code16
        .text
        .globl  start
start:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    $line, %si
        movb    %dl, %bl
        movw    $SERIAL, %dx
        cld
        movw    $(end - line), %cx
        rep outsb
        cmpb    $FIRST_DISK, %bl
        je      stop
        movw    $0x0e00 + '!', %ax
        int     $FIRMWARE_VIDEO
stop:   cli
        hlt
        jmp     stop
line:   .ascii  "Hello from real mode!\n"
end:

        .org    510
        .byte   0x55, 0xaa
