/*
 * A Linux process around a guest that only computes: `make native` builds primes, walk and avx with it from the same
 * source, so that a benchmark can compare guest and process.
 *
 * It makes up the boot info that those guests look at (command line, free memory, CPU features) and is their console.
 * Memory is asked for in 2 MiB pages, because that is how the VMM maps a guest's.
 */
#include <cpuid.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "swiftlet_abi.h"

#define MEMORY_SIZE (1ul << 30)
#define LARGE_PAGE (2ul << 20)

int guest_main(const struct swiftlet_boot_info *boot); /* the guest's main, renamed on the compiler's command line */
void console_write(const void *bytes, size_t length);
void check(bool holds, const char *claim);

const struct swiftlet_boot_info *boot_info;

void console_write(const void *bytes, size_t length)
{
    if (write(STDOUT_FILENO, bytes, length) != (ssize_t)length)
        exit(1);
}

void check(bool holds, const char *claim)
{
    if (!holds) {
        printf("FAILED: %s\n", claim);
        exit(1);
    }
}

static struct swiftlet_cpu_features features(void)
{
    struct swiftlet_cpu_features found = {0};
    uint32_t eax, ebx, low, high;
    __get_cpuid(1, &eax, &ebx, &found.leaf1_ecx, &found.leaf1_edx);
    __get_cpuid_count(7, 0, &eax, &found.leaf7_ebx, &found.leaf7_ecx, &found.leaf7_edx);
    if (found.leaf1_ecx & bit_OSXSAVE) {
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        found.xcr0 = (uint64_t)high << 32 | low;
    }
    return found;
}

int main(int count, char **arguments)
{
    static char line[4096];
    for (int i = 1, used = 0; i < count && used < (int)sizeof line; i++)
        used += snprintf(line + used, sizeof line - (size_t)used, i > 1 ? " %s" : "%s", arguments[i]);

    char *memory = mmap(NULL, MEMORY_SIZE + LARGE_PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(memory != MAP_FAILED, "there is memory");
    madvise(memory, MEMORY_SIZE + LARGE_PAGE, MADV_HUGEPAGE);
    uint64_t start = ((uint64_t)memory + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);

    struct swiftlet_boot_info info = {
        .command_line = (uint64_t)line,
        .free_start = start,
        .free_end = start + MEMORY_SIZE,
        .features = features(),
    };
    boot_info = &info;
    return guest_main(&info);
}
