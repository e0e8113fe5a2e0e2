/*
 * The command line of the C twin of a pool, and its loop.
 *
 *     reset FILE METHOD SAMPLES WARM-UPS
 *
 * METHOD is discard, copy or scan (reset.h), and the same with -xsave.
 * Prints a line for each cycle that counts: nanoseconds of putting the clone back and running it to its exit.
 * Read next: machine.c.
 */
#include "reset.h"

#include <stdlib.h>
#include <time.h>

/* Status 3: this host cannot do that (as Method/Attempts.swift); 125: it should have worked. */
_Noreturn void fail(const char *step)
{
    int error = errno;
    fprintf(stderr, "reset: %s: %s\n", step, strerror(error));
    exit(error == ENOMEM || error == EINVAL || error == ENOTTY || error == ENOSYS || error == EOPNOTSUPP ? 3 : 125);
}

int check(int result, const char *step)
{
    if (result < 0)
        fail(step);
    return result;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static const struct method methods[] = {
    {.name = "discard"},
    {.name = "discard-xsave", .xsave = true},
    {.name = "copy", .finds = LOG},
    {.name = "copy-xsave", .finds = LOG, .xsave = true},
    {.name = "scan", .finds = SCAN},
    {.name = "scan-xsave", .finds = SCAN, .xsave = true},
};

int main(int count, char **arguments)
{
    static struct clone clone;
    const struct method *method = NULL;
    for (size_t i = 0; count == 5 && i < sizeof methods / sizeof *methods; i++)
        if (strcmp(arguments[2], methods[i].name) == 0)
            method = &methods[i];
    if (method == NULL)
        return fputs("usage: reset FILE discard|copy|scan[-xsave] SAMPLES WARM-UPS\n", stderr), 2;
    clone_make(&clone, arguments[1], method->finds);
    clone_run(&clone);
    int samples = atoi(arguments[3]), warm_ups = atoi(arguments[4]);
    for (int turn = 0; turn < warm_ups + samples; turn++) {
        uint64_t start = now();
        clone_reset(&clone, method);
        clone_run(&clone);
        uint64_t time = now() - start;
        if (turn >= warm_ups)
            printf("%lu\n", time);
    }
    return fflush(stdout) == 0 ? 0 : 125;
}
