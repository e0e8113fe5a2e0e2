/*
 * exit-status: what main returns is swiftlet's exit status, unchanged; what does not fit a byte is a bug of the guest.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    return (int)argument_number(0, 0);
}
