/*
 * libFuzzer's entry for programs that have a main of their own, and a file that lives in memory.
 *
 * C, because the first has no Swift module and memfd_create is a GNU extension. Read next: Harness/Driver.swift.
 */
#ifndef CFUZZ_H
#define CFUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));

static inline int cfuzz_memory_file(void) { return (int)syscall(SYS_memfd_create, "fuzz", 0); }

#endif
