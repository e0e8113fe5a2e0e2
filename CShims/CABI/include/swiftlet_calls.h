/*
 * The calls of version 1. A call is one instruction: a 4-byte OUT of any value to port 0x500 + number, with the
 * call's struct at the start of the vCPU's call page. When the next instruction runs, the call is done and its results
 * are in the struct.
 *
 * Buffers are guest-physical. Numbers 1 to 8 are Solo5's hvt calls and belong to its images; 0x510 and 0x511 are
 * fw_cfg's ports; so these start at 32 = port 0x520. Misuse (an unknown number, a buffer outside memory, a length over
 * its limit) is a bug of the guest and stops the machine with a report; what can happen to a correct guest (end of
 * input, a deadline) is a result.
 */
#ifndef SWIFTLET_CALLS_H
#define SWIFTLET_CALLS_H

#define SWIFTLET_CALL_PORT 0x500 /* port = SWIFTLET_CALL_PORT + number */

#define SWIFTLET_CALL_EXIT 32
#define SWIFTLET_CALL_CONSOLE_WRITE 33
#define SWIFTLET_CALL_CONSOLE_READ 34
#define SWIFTLET_CALL_WALL_TIME 35
#define SWIFTLET_CALL_POLL 36
#define SWIFTLET_CALL_COMMIT 37
#define SWIFTLET_CALL_ENTROPY 38
#define SWIFTLET_CALL_LOG 39
#define SWIFTLET_CALL_HANDLER 40
#define SWIFTLET_CALL_TIMER 41
#define SWIFTLET_CALL_FAULT_ADDRESS 42
#define SWIFTLET_CALL_RECLAIM 43
#define SWIFTLET_CALL_GROW 44
#define SWIFTLET_CALL_SNAPSHOT 50

#define SWIFTLET_NO_DEADLINE 0xffffffffffffffff

#define SWIFTLET_POLL_CONSOLE 0x1 /* the console can be read, or is at its end */

#define SWIFTLET_TIMED_OUT (-1) /* console_read.result: the deadline passed and nothing came */

#define SWIFTLET_ENTROPY_MAX 256 /* bytes for each call */
#define SWIFTLET_LOG_MAX 1024    /* bytes for each call */

#define SWIFTLET_LOG_ERROR 1
#define SWIFTLET_LOG_WARNING 2
#define SWIFTLET_LOG_INFO 3
#define SWIFTLET_LOG_DEBUG 4

#define SWIFTLET_SNAPSHOT_NONE (-1) /* snapshot.result: none was made */
#define SWIFTLET_SNAPSHOT_SAVED 0   /* it was made, and this is the guest that it was made of */
#define SWIFTLET_SNAPSHOT_RESTORED 1 /* this guest was made from it */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Ends the machine. status 0 to 255 becomes swiftlet's exit status. Does not return. */
struct swiftlet_exit {
    uint64_t status;
};

/* Writes length bytes to the console. Returns when all are written; a console that is gone stops the machine. */
struct swiftlet_console_write {
    uint64_t buffer;
    uint64_t length; /* bytes; 0 is allowed */
};

/* Reads what the console has, at least one byte, at most length; waits until the deadline or an interrupt. */
struct swiftlet_console_read {
    uint64_t buffer;
    uint64_t length;   /* bytes, at least 1 */
    uint64_t deadline; /* clock time in ns, or SWIFTLET_NO_DEADLINE; one that has passed makes the call a look */
    int64_t result;    /* out: bytes read; 0 end of input; SWIFTLET_TIMED_OUT */
};

/* The time of day (CLOCK_REALTIME). */
struct swiftlet_wall_time {
    int64_t seconds;      /* out: since 1970-01-01 00:00:00 UTC */
    uint64_t nanoseconds; /* out: 0 to 999,999,999 */
};

/* Waits until one of the events, an interrupt for this vCPU, or the deadline: the guest's idle. */
struct swiftlet_poll {
    uint64_t deadline; /* clock time in ns, or SWIFTLET_NO_DEADLINE */
    uint32_t events;   /* SWIFTLET_POLL_...; 0 only sleeps */
    uint32_t ready;    /* out: those of events that are ready; 0 for a deadline or an interrupt */
};

/* Makes the guest's edits of its own page tables take effect, all of them, on every vCPU. Edits that only make a
 * not-present entry present need no commit. */
struct swiftlet_commit {
    uint64_t root; /* 0 keeps the current PML4; otherwise the address of the one to use from now on */
};

/* Fills the buffer from the host's random number generator. */
struct swiftlet_entropy {
    uint64_t buffer;
    uint64_t length; /* bytes, at most SWIFTLET_ENTROPY_MAX */
};

/* One line for the operator, on swiftlet's standard error: not part of the guest's output. */
struct swiftlet_log {
    uint64_t buffer; /* text, without a newline at its end; control characters are shown as dots */
    uint32_t length; /* bytes, at most SWIFTLET_LOG_MAX */
    uint32_t level;  /* SWIFTLET_LOG_... */
};

/* Installs the handler of an interrupt vector. It runs at CPL 3 on the current stack with the frame that the CPU
 * pushes (and an error code for vectors 8, 10-14, 17, 21), and returns by iretq. Vector 8 alone gets another stack. A
 * handler that makes calls saves and restores the call page's arguments: it may have interrupted a call's preparation. */
struct swiftlet_handler {
    uint32_t vector; /* 0 to 255 but 1 and 3, which are the debugger's */
    uint32_t reserved;
    uint64_t address; /* 0 takes the handler away: the vector stops the machine again */
};

/* Has an interrupt injected once, at the deadline or as soon after it as interrupts are not masked. */
struct swiftlet_timer {
    uint64_t deadline; /* clock time in ns; SWIFTLET_NO_DEADLINE disarms */
    uint32_t vector;   /* 32 to 255, with a handler */
    uint32_t reserved;
};

/* CR2, the address of the last page fault, which only ring 0 can read: for handlers of vector 14. */
struct swiftlet_fault_address {
    uint64_t address; /* out: guest-virtual */
};

/* Gives pages back to the host: they read as zeros afterwards, and cost nothing until they are written again. */
struct swiftlet_reclaim {
    uint64_t start; /* guest-physical, a multiple of 4 KiB */
    uint64_t size;  /* bytes, a multiple of 4 KiB; 0 is allowed */
};

/* Asks for memory above what there is: whole steps of boot info's memory_step. No page table maps it yet. */
struct swiftlet_grow {
    uint64_t size;    /* bytes wanted; rounded up to steps */
    uint64_t start;   /* out: guest-physical, a multiple of 2 MiB; it begins where the memory granted before ended */
    uint64_t granted; /* out: bytes, a multiple of 2 MiB; 0 when there is not as much to be had */
};

/* "I am ready": a snapshot is made, where the operator has asked for one (swiftlet run --snapshot FILE). */
struct swiftlet_snapshot {
    int64_t result; /* out: SWIFTLET_SNAPSHOT_... */
};

_Static_assert(sizeof(struct swiftlet_console_read) == 32, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_poll) == 16, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_log) == 16, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_handler) == 16, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_timer) == 16, "part of the ABI");
#endif

#endif
