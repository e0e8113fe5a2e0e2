/*
 * numbers: samples as text. A write for each would cost more than most of what is measured here; so a line is put together
 * in a buffer of its own and written once.
 */
#include "guest.h"

/* A space and the longest number of 64 bits with its sign. */
#define LONGEST 21

static char text[64 + NUMBERS_MAXIMUM * LONGEST];

static char *put_decimal(char *to, int64_t number)
{
    char digits[LONGEST], *start = digits + sizeof digits;
    uint64_t magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--start = (char)('0' + magnitude % 10);
    while ((magnitude /= 10) > 0);
    if (number < 0)
        *--start = '-';
    while (start < digits + sizeof digits)
        *to++ = *start++;
    return to;
}

void print_numbers(const char *word, const int64_t *numbers, size_t count)
{
    char *end = text;
    check(count <= NUMBERS_MAXIMUM && strlen(word) < 64, "a line of numbers fits its buffer");
    while (*word != '\0')
        *end++ = *word++;
    for (size_t i = 0; i < count; i++) {
        *end++ = ' ';
        end = put_decimal(end, numbers[i]);
    }
    *end++ = '\n';
    console_write(text, (size_t)(end - text));
}
