/*
 * The memory functions. Copying and filling are the CPU's string instructions: as short as it gets, and microcode
 * knows the fastest way. Read next: allocate.c.
 */
#include "guest.h"

void *memcpy(void *destination, const void *source, size_t size)
{
    void *to = destination;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(size) : : "memory");
    return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
    if ((uint64_t)destination - (uint64_t)source >= size)
        return memcpy(destination, source, size);
    /* The destination begins inside the source: from the end backwards. */
    uint8_t *to = (uint8_t *)destination + size - 1;
    const uint8_t *from = (const uint8_t *)source + size - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size) : : "memory", "cc");
    return destination;
}

void *memset(void *destination, int byte, size_t size)
{
    void *to = destination;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left, *b = right;
    for (; size > 0; size--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}

int strncmp(const char *left, const char *right, size_t size)
{
    for (; size > 0; size--, left++, right++)
        if (*left != *right || *left == '\0')
            return (uint8_t)*left - (uint8_t)*right;
    return 0;
}
