/*
 * The memory functions that compilers call on their own, and an allocator of whole pages.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ul

void *memcpy(void *destination, const void *source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strncmp(const char *left, const char *right, size_t size);

/* Zeroed memory, page-aligned, from boot info's largest free range; never given back. Ends the guest when there is not
 * that much. */
void *allocate(uint64_t size);

#endif
