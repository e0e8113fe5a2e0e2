/*
 * Disks and network interfaces: declaring them, finding them, and using them by call (swiftlet_devices.h).
 *
 * Read next: ring.h, which does the same without exits.
 */
#ifndef GUEST_DEVICES_H
#define GUEST_DEVICES_H

#include <stdint.h>

#include "calls.h"
#include "swiftlet_abi.h"

/* At file scope: the image needs a device of this kind under this name (a string). */
#define DECLARE_DEVICE(variable, device_kind, device_name)                                                        \
    static const struct swiftlet_device_note variable                                                             \
        __attribute__((used, section(SWIFTLET_NOTE_SECTION), aligned(4))) = {                                     \
            .name_size = sizeof SWIFTLET_NOTE_OWNER,                                                              \
            .descriptor_size = 8 + SWIFTLET_DEVICE_NAME_SIZE,                                                     \
            .type = SWIFTLET_NOTE_DEVICE,                                                                         \
            .owner = SWIFTLET_NOTE_OWNER,                                                                         \
            .kind = device_kind,                                                                                  \
            .name = device_name,                                                                                  \
    }

/* The number of the device of that name: its place in device_table(). Ends the guest when there is none. */
uint32_t device_find(const char *name);

static inline const struct swiftlet_device *device_table(void)
{
    extern const struct swiftlet_boot_info *boot_info;
    return (const struct swiftlet_device *)boot_info->devices;
}

/* One operation on a disk, SWIFTLET_BLOCK_...: 0, or a negative result. */
static inline int64_t block_transfer(uint32_t device, uint32_t operation, uint64_t offset, void *buffer, uint64_t length)
{
    struct swiftlet_block *arguments = CALL_ARGUMENTS(struct swiftlet_block);
    *arguments = (struct swiftlet_block){
        .device = device, .operation = operation, .offset = offset, .buffer = (uint64_t)buffer, .length = length};
    call(SWIFTLET_CALL_BLOCK);
    return arguments->result;
}

static inline int64_t net_transfer(uint32_t device, uint32_t operation, void *buffer, uint64_t length, uint64_t deadline)
{
    struct swiftlet_net *arguments = CALL_ARGUMENTS(struct swiftlet_net);
    *arguments = (struct swiftlet_net){
        .device = device, .operation = operation, .buffer = (uint64_t)buffer, .length = length, .deadline = deadline};
    call(SWIFTLET_CALL_NET);
    return arguments->result;
}

/* Sends a frame, waiting for room as long as it takes: its length, or a negative result. */
static inline int64_t net_send(uint32_t device, void *frame, uint64_t length)
{
    int64_t result;
    do
        result = net_transfer(device, SWIFTLET_NET_SEND, frame, length, SWIFTLET_NO_DEADLINE);
    while (result == SWIFTLET_TIMED_OUT);
    return result;
}

/* The next frame's length, SWIFTLET_TIMED_OUT, or another negative result. The buffer holds frame_size bytes. */
static inline int64_t net_receive(uint32_t device, void *buffer, uint64_t length, uint64_t deadline)
{
    return net_transfer(device, SWIFTLET_NET_RECEIVE, buffer, length, deadline);
}

#endif
