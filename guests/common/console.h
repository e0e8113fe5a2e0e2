/*
 * Text in and out. Every write is one call, and a call is the dearest thing a guest does: so text is put together
 * first and written whole.
 */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

void console_write(const void *bytes, size_t length);

/* Waits for input. Bytes read; 0 at its end. */
size_t console_read(void *buffer, size_t length);

/* printf with %c %s %d %u %x %p %%, the lengths l and z, a width and zero padding. May be used in handlers. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

#endif
