/*
 * What Embedded Swift's standard library expects of the platform under it: a character out, and a heap.
 *
 * print() comes here one character at a time; a call for each would be dear, so a line is written when it is whole.
 * The heap never takes memory back (allocate.c): good for a guest that ends, wrong for one that serves.
 */
#include "guest.h"

int putchar(int character);
int posix_memalign(void **memory, size_t alignment, size_t size);
void free(void *memory);
void arc4random_buf(void *buffer, size_t size);
double ceil(double value);

/* Dictionary and Set size their tables with it; the values are small and positive. */
double ceil(double value)
{
    int64_t whole = (int64_t)value;
    return (double)(whole + (value > (double)whole));
}

int putchar(int character)
{
    static char line[256];
    static size_t used;
    line[used++] = (char)character;
    if (character == '\n' || used == sizeof line) {
        console_write(line, used);
        used = 0;
    }
    return character;
}

/* Small pieces are cut from a page, so that an object does not cost one. */
int posix_memalign(void **memory, size_t alignment, size_t size)
{
    static uint64_t next, end;
    uint64_t start = (next + alignment - 1) & ~(alignment - 1);
    if (start + size > end) {
        uint64_t fresh = (size + alignment + 16 * PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
        next = (uint64_t)allocate(fresh);
        end = next + fresh;
        start = (next + alignment - 1) & ~(alignment - 1);
    }
    next = start + size;
    *memory = (void *)start;
    return 0;
}

void free(void *memory)
{
    (void)memory;
}

/* Swift's random numbers and the seeds of its hash tables. */
void arc4random_buf(void *buffer, size_t size)
{
    for (uint8_t *to = buffer; size > 0;) {
        size_t part = size < SWIFTLET_ENTROPY_MAX ? size : SWIFTLET_ENTROPY_MAX;
        call_entropy(to, part);
        to += part;
        size -= part;
    }
}
