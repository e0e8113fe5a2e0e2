/*
 * firewall-disk: the firewall (guests/firewall) with its rules on the disk 'rules': text, one a line, up to a NUL or the
 * disk's end.
 *
 * An image of its own, because a machine's devices are exactly those that its image declares. Read next: ../firewall/main.c.
 */
#include "../firewall/appliance.h"
#include "guest.h"

DECLARE_DEVICE(rules_note, SWIFTLET_DEVICE_BLOCK, "rules");

#define TEXT_MAXIMUM (64ul << 10)

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint32_t disk = device_find("rules");
    uint64_t capacity = device_table()[disk].capacity;
    uint64_t size = capacity < TEXT_MAXIMUM ? capacity : TEXT_MAXIMUM;
    char *text = allocate(size);
    if (block_transfer(disk, SWIFTLET_BLOCK_READ, 0, text, size) != 0) {
        print("firewall: the disk 'rules' cannot be read\n");
        return 1;
    }
    if (size < capacity && text[size - 1] != '\0') {
        print("firewall: the text on the disk 'rules' does not end within %lu bytes\n", size);
        return 1;
    }
    return firewall(text, size);
}
