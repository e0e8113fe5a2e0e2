/*
 * Many numbers in one console write: what a guest has measured, for whoever started it.
 */
#ifndef GUEST_NUMBERS_H
#define GUEST_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#define NUMBERS_MAXIMUM 10000ul

/* "word 1 -2 3\n"; at most NUMBERS_MAXIMUM of them. */
void print_numbers(const char *word, const int64_t *numbers, size_t count);

#endif
