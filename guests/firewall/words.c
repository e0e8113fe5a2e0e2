/*
 * The implementation of words.h. Nothing behind a line's end is looked at, and no word is ended by a NUL.
 *
 * Read next: rules.c.
 */
#include "words.h"

#include "memory.h"

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

struct word word_next(struct line *line)
{
    while (line->at < line->end && is_space(*line->at))
        line->at++;
    const char *start = line->at;
    while (line->at < line->end && !is_space(*line->at) && *line->at != '#')
        line->at++;
    return (struct word){start, (size_t)(line->at - start)};
}

bool word_is(struct word word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.start, text, word.length) == 0;
}

bool word_number(struct word word, uint32_t maximum, uint32_t *number)
{
    uint64_t value = 0;
    if (word.length == 0 || word.length > 10 || (word.length > 1 && word.start[0] == '0'))
        return false;
    for (size_t i = 0; i < word.length; i++) {
        if (word.start[i] < '0' || word.start[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(word.start[i] - '0');
    }
    *number = (uint32_t)value;
    return value <= maximum;
}

/* The part of a word in front of a separator, and in word what is behind it; false when it has none. */
static bool split(struct word *word, char separator, struct word *front)
{
    for (size_t i = 0; i < word->length; i++) {
        if (word->start[i] != separator)
            continue;
        *front = (struct word){word->start, i};
        *word = (struct word){word->start + i + 1, word->length - i - 1};
        return true;
    }
    return false;
}

bool word_range(struct word word, uint32_t maximum, uint32_t *first, uint32_t *last)
{
    struct word front = word;
    split(&word, '-', &front);
    return word_number(front, maximum, first) && word_number(word, maximum, last) && *first <= *last;
}

static bool dotted(struct word word, uint32_t *address)
{
    *address = 0;
    for (int i = 0; i < 4; i++) {
        struct word part = word;
        uint32_t byte;
        if (split(&word, '.', &part) != (i < 3) || !word_number(part, 255, &byte))
            return false;
        *address = *address << 8 | byte;
    }
    return true;
}

const char *word_address(struct word word, uint32_t *address, uint32_t *mask)
{
    struct word front = word;
    uint32_t bits = 32;
    bool has_prefix = split(&word, '/', &front);
    if (!dotted(front, address))
        return "an address is four numbers up to 255 with points between, as 10.0.0.1, or any";
    if (has_prefix && !word_number(word, 32, &bits))
        return "a prefix is a number of bits from 0 to 32, as in 10.0.0.0/8";
    *mask = bits == 0 ? 0 : ~(uint32_t)0 << (32 - bits);
    if ((*address & ~*mask) != 0)
        return "the address has bits behind its prefix: 10.0.0.1 alone is one host, 10.0.0.0/24 a network";
    return NULL;
}
