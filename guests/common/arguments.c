/*
 * Reading the command line. Words are found by counting spaces at each question: a command line is short, and so no
 * memory is needed to keep them.
 */
#include "guest.h"

/* The start of word number index; at the end of the line when there are fewer. */
static const char *word(unsigned index)
{
    const char *text = (const char *)boot_info->command_line;
    for (; index > 0 && *text != '\0'; text++)
        if (*text == ' ')
            index--;
    return text;
}

uint64_t argument_number(unsigned index, uint64_t fallback)
{
    const char *digit = word(index);
    if (*digit < '0' || *digit > '9')
        return fallback;
    uint64_t value = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        value = value * 10 + (uint64_t)(*digit - '0');
    return value;
}

bool argument_is(unsigned index, const char *text)
{
    const char *argument = word(index);
    size_t length = strlen(text);
    return strncmp(argument, text, length) == 0 && (argument[length] == '\0' || argument[length] == ' ');
}
