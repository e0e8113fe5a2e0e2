/*
 * What disks and taps cost a Linux process: the same operations that guests of `swiftlet bench devices` have done for them, by
 * one system call each, or by io_uring with many under way.
 *
 * So this is the floor of a ring and of a call, and it answers which of the two a ring's thread should use.
 * Read next: main.c, then uring.c, taps.c.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCK 4096
#define FRAME 1024 /* bytes, with its header */
#define DEPTH 32u  /* operations under way in an io_uring */

/* One operation after the other on a file or a tap. */
struct work {
    int fd;
    bool writes;
    uint32_t size;
    uint64_t blocks; /* of the file; 0: a tap, which has no offsets */
    bool at_random;
    uint8_t *buffers; /* DEPTH of BLOCK bytes */
};

_Noreturn void fail(const char *step);
int check(long result, const char *step);
/* Where operation number i goes. */
uint64_t place(const struct work *work, uint64_t i);
/* Checks what an operation moved. Frames that the host's network sends of its own accord do not count. */
bool counts(const struct work *work, const uint8_t *buffer, long moved);

/* uring.c: carries out `count` operations, DEPTH under way. */
void uring_open(void);
void uring_run(const struct work *work, uint64_t count);

/* taps.c */
int open_tap(char name[16]);
void feed(const char *interface, unsigned count);
void make_frame(uint8_t *frame);
bool is_ours(const uint8_t *frame);

#endif
