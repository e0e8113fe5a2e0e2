/*
 * kernel.h: what the kernels for the bare CPU share: text for the serial port, and an end by QEMU's debug exit.
 *
 * They run in 32-bit protected mode as their boot protocols start them, without Swiftlet's interface, and under QEMU as well.
 */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

#include <stdint.h>

#define SERIAL 0x3f8
#define SERIAL_STATUS (SERIAL + 5)
#define SOMETHING_CAME 1
#define SENDER_EMPTY 0x20
#define DEBUG_EXIT 0xf4

static inline void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void put(char letter)
{
    while (!(in8(SERIAL_STATUS) & SENDER_EMPTY))
        ;
    out8(SERIAL, letter);
}

static inline void print(const char *text)
{
    while (*text)
        put(*text++);
}

static inline void print_number(uint32_t number)
{
    if (number >= 10)
        print_number(number / 10);
    put('0' + number % 10);
}

/* Ends the machine with status 2 * code + 1. */
_Noreturn static inline void end(uint8_t code)
{
    for (;;)
        out8(DEBUG_EXIT, code);
}

/* Whether a text ends with a word. */
static inline int ends_with(const char *text, const char *word)
{
    const char *t = text, *w = word;
    while (*t)
        t++;
    while (*w)
        w++;
    while (w > word)
        if (t == text || *--t != *--w)
            return 0;
    return 1;
}

#endif
