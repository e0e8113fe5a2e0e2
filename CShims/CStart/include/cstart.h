/*
 * Nothing to call: start.c takes part by being linked. It is the one C file, for a header cannot define what the runtime
 * refers to. Read next: ../start.c.
 */
#ifndef CSTART_H
#define CSTART_H

#include <stdbool.h>

char **_swift_stdlib_getUnsafeArgvArgc(int *argc);
void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc);
bool _swift_backtrace_isThunkFunction(const char *name);

#endif
