/*
 * fault-execute-data: data is not executable. A RET instruction lies in the data segment and is called; the fetch
 * faults.
 */
#include "guest.h"

static uint8_t code_in_data[] = {0xc3};

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("calling code in data\n");
    ((void (*)(void))(uint64_t)code_in_data)();
    print("it returned\n");
    return 1;
}
