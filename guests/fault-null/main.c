/*
 * fault-null: page 0 is not mapped, so that reading through a null pointer stops the machine with a page fault
 * report that names the function and the address.
 */
#include "guest.h"

static const uint32_t *const volatile nothing = 0;

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("reading through a null pointer\n");
    return (int)*nothing;
}
