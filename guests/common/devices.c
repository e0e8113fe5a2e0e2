/*
 * devices.h's table: names are unique in it.
 */
#include "guest.h"

uint32_t device_find(const char *name)
{
    const struct swiftlet_device *table = device_table();
    for (uint32_t number = 0; number < boot_info->device_count; number++)
        if (strncmp(table[number].name, name, SWIFTLET_DEVICE_NAME_SIZE) == 0)
            return number;
    check(false, "a device that the image declares is in boot info");
    __builtin_unreachable();
}
