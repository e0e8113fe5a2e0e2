/*
 * The command line, word by word. The VMM joins the guest's arguments by single spaces.
 */
#ifndef GUEST_ARGUMENTS_H
#define GUEST_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* Word number index of the command line read as a decimal number; fallback where there is none. */
uint64_t argument_number(unsigned index, uint64_t fallback);

/* Whether word number index of the command line is this text. */
bool argument_is(unsigned index, const char *text);

#endif
