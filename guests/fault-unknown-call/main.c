/*
 * fault-unknown-call: a call with a number that is not in the contract is a bug of the guest; the report says which.
 */
#include "guest.h"

#define NO_SUCH_CALL 63

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("making call 63\n");
    call(NO_SUCH_CALL);
    print("went on\n");
    return 1;
}
