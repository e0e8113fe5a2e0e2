/*
 * module: the file given with --module is in the guest's memory when it starts; prints its size and its checksum.
 */
#include "guest.h"

/* FNV-1a, 64 bits (draft-eastlake-fnv): short, and every byte and its place count. */
static uint64_t checksum(const uint8_t *bytes, uint64_t size)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (uint64_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

int main(const struct swiftlet_boot_info *boot)
{
    if (boot->module == 0) {
        print("no module\n");
        return 0;
    }
    check(boot->module % PAGE_SIZE == 0, "the module is page-aligned");
    print("module of %lu bytes, checksum %016lx\n", boot->module_size,
          checksum((const uint8_t *)boot->module, boot->module_size));
    return 0;
}
