/*
 * pvh-hello: what the guest hello does, as a PVH kernel: prints a line and ends. QEMU's debug console is at port 0xe9, its
 * debug exit at 0xf4, whose process ends with status 2 * AL + 1.
 */
#include "pvh.h"

#define CONSOLE 0xe9
#define EXIT 0xf4
#define STATUS 0x10

        .text
        .code32
        .globl  start
start:  movl    $line, %esi
        movl    $(end - line), %ecx
        movl    $CONSOLE, %edx
        cld
        rep outsb
        movb    $STATUS, %al
        outb    %al, $EXIT
stop:   jmp     stop
line:   .ascii  "Hello from ring 0!\n"
end:

        PVH_NOTE start
