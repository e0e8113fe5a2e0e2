/*
 * The words of one line of rules, and those that are numbers or addresses.
 *
 * Read next: words.c.
 */
#ifndef FIREWALL_WORDS_H
#define FIREWALL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
    const char *start;
    size_t length; /* 0: the line has no more */
};

/* What is left of a line. */
struct line {
    const char *at, *end;
};

/* The next word, and the line behind it; a word ends at a space, a tab, a carriage return, or where a comment begins. */
struct word word_next(struct line *line);

bool word_is(struct word word, const char *text);

/* A decimal number up to maximum, without a leading zero: 010 is 8 to some and 10 to others. */
bool word_number(struct word word, uint32_t maximum, uint32_t *number);

/* Two numbers with a hyphen between, not descending; or one, which is both. */
bool word_range(struct word word, uint32_t maximum, uint32_t *first, uint32_t *last);

/* a.b.c.d, or a.b.c.d/bits with no bit set behind those; in the host's byte order. NULL, or what is wrong. */
const char *word_address(struct word word, uint32_t *address, uint32_t *mask);

#endif
