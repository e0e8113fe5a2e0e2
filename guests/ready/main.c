/*
 * ready: fills as many MiB as its argument says (1 without one) with numbers, says that it is ready, and ends. What a
 * restore costs is measured with it: in the restored guest nothing is left to do.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t words = argument_number(0, 1) << 17;
    uint64_t *memory = allocate(words * 8);
    for (uint64_t i = 0; i < words; i++)
        memory[i] = i * 0x9e3779b97f4a7c15 + 1;
    call_snapshot();
    return 0;
}
