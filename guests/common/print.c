/*
 * print: the part of printf that a guest needs, in one screen.
 *
 * A line is put together on the caller's stack, not in a static buffer, so that a handler may print while the code
 * that it interrupted prints.
 */
#include <stdarg.h>

#include "guest.h"

struct line {
    size_t used;
    char text[256];
};

static void flush(struct line *line)
{
    if (line->used > 0)
        console_write(line->text, line->used);
    line->used = 0;
}

static void put(struct line *line, char character)
{
    if (line->used == sizeof line->text)
        flush(line);
    line->text[line->used++] = character;
}

static void put_string(struct line *line, const char *text, size_t width)
{
    for (size_t length = strlen(text); length < width; length++)
        put(line, ' ');
    while (*text != '\0')
        put(line, *text++);
}

static void put_number(struct line *line, uint64_t value, unsigned base, bool negative, size_t width, bool zeros)
{
    char text[32]; /* digits of 64 bits and a sign, from the end */
    char *start = &text[sizeof text - 1];
    *start = '\0';
    do
        *--start = "0123456789abcdef"[value % base];
    while ((value /= base) > 0);
    while (zeros && (size_t)(&text[sizeof text - 1] - start) + negative < width && start > &text[1])
        *--start = '0';
    if (negative)
        *--start = '-';
    put_string(line, start, width);
}

static void put_signed(struct line *line, int64_t value, size_t width, bool zeros)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    put_number(line, magnitude, 10, value < 0, width, zeros);
}

void print(const char *format, ...)
{
    struct line line = {.used = 0};
    va_list list;
    va_start(list, format);
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&line, *format);
            continue;
        }
        bool zeros = *++format == '0';
        size_t width = 0;
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (size_t)(*format - '0');
        bool wide = *format == 'l' || *format == 'z'; /* long and size_t are both 64 bits */
        while (*format == 'l' || *format == 'z')
            format++;
        switch (*format) {
        case 'c': put(&line, (char)va_arg(list, int)); break;
        case 's': put_string(&line, va_arg(list, const char *), width); break;
        case 'd': put_signed(&line, wide ? va_arg(list, int64_t) : va_arg(list, int), width, zeros); break;
        case 'u':
        case 'x':
            put_number(&line, wide ? va_arg(list, uint64_t) : va_arg(list, unsigned), *format == 'x' ? 16 : 10, false,
                       width, zeros);
            break;
        case 'p': put_number(&line, (uint64_t)va_arg(list, void *), 16, false, 16, true); break;
        default: put(&line, *format); break;
        }
    }
    va_end(list);
    flush(&line);
}
