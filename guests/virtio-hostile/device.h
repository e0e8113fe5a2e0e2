/*
 * device.h: a virtio device on the MMIO transport and one queue of it, as a driver without interrupts sees them.
 *
 * Virtio 1.2, sections 2.7 (split queues), 4.2.2 (registers), 5.2 (block), 5.4 (entropy). Swiftlet's devices lie one page
 * from the other (docs/kernels.md).
 */
#ifndef GUEST_DEVICE_H
#define GUEST_DEVICE_H

#include <stdint.h>

#define MEMORY_SIZE 0x1000000 /* --mem 16 */
#define FIRST_DEVICE 0xd0000000
#define DEVICE_DISTANCE 0x1000
#define BLOCK 2

/* What devices may write to, all of it, and on both sides what they may not. */
#define PLAYGROUND 0x400000
#define PLAYGROUND_SIZE 0x20000
#define FENCE_SIZE 0x20000

enum { MAGIC = 0x00, DEVICE = 0x08, FEATURES = 0x10, FEATURES_SELECT = 0x14, DRIVER_FEATURES = 0x20, DRIVER_SELECT = 0x24 };
enum { QUEUE_SELECT = 0x30, QUEUE_COUNT = 0x38, QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50, INTERRUPT_STATUS = 0x60 };
enum { STATUS = 0x70, QUEUE_PLACES = 0x80 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 0x40 };

#define QUEUE_SIZE 16
#define UNUSED 0xffffffff

enum { MORE = 1, TO_WRITE = 2 };
struct descriptor {
    uint32_t address[2], length;
    uint16_t flags, next;
};

struct queue {
    struct descriptor descriptors[QUEUE_SIZE];
    uint16_t available_flags, available_index, heads[QUEUE_SIZE], padding[2];
    uint16_t used_flags, used_index;
    struct {
        uint32_t head, length;
    } used[QUEUE_SIZE];
};

/* At the playground's start, and a request of a disk. */
#define queue (*(volatile struct queue *)PLAYGROUND)
#define request_head ((volatile uint32_t *)(PLAYGROUND + 0x1000))
#define request_status ((volatile uint8_t *)(PLAYGROUND + 0x1100))
#define request_data ((volatile uint32_t *)(PLAYGROUND + 0x2000))

static inline uint32_t get_register(uint32_t device, uint32_t offset) { return *(volatile uint32_t *)(device + offset); }
static inline void put_register(uint32_t device, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(device + offset) = value;
}

/* From a reset to a device that runs, with an empty queue 0; features: version 1 alone. */
static void bring_up(uint32_t device)
{
    put_register(device, STATUS, 0);
    put_register(device, STATUS, ACKNOWLEDGE | DRIVER);
    for (uint32_t half = 0; half < 2; half++) {
        put_register(device, DRIVER_SELECT, half);
        put_register(device, DRIVER_FEATURES, half);
    }
    put_register(device, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    queue.available_flags = queue.available_index = queue.used_index = 0;
    for (int index = 0; index < QUEUE_SIZE; index++)
        queue.used[index].length = UNUSED;
    const uint32_t places[] = {(uint32_t)&queue.descriptors, (uint32_t)&queue.available_flags, (uint32_t)&queue.used_flags};
    put_register(device, QUEUE_SELECT, 0);
    put_register(device, QUEUE_COUNT, QUEUE_SIZE);
    for (uint32_t part = 0; part < 3; part++) {
        put_register(device, QUEUE_PLACES + part * 16, places[part]);
        put_register(device, QUEUE_PLACES + part * 16 + 4, 0);
    }
    put_register(device, QUEUE_READY, 1);
    put_register(device, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void describe_as(int index, volatile void *place, uint32_t size, uint16_t flags)
{
    queue.descriptors[index] = (struct descriptor){{(uint32_t)place, 0}, size, flags, (uint16_t)(index + 1)};
}

/* A block request: operation 1 writes a sector, 0 reads it. */
static void describe_request(uint32_t operation)
{
    describe_as(0, request_head, 16, MORE);
    describe_as(1, request_data, 512, operation ? MORE : MORE | TO_WRITE);
    describe_as(2, request_status, 1, TO_WRITE);
    request_head[0] = operation, request_head[1] = 0, request_head[2] = 1, request_head[3] = 0;
}

/* Offers descriptor 0 and waits; how many bytes the device says that it wrote. */
static uint32_t have_done(uint32_t device)
{
    bring_up(device);
    queue.heads[0] = 0;
    queue.available_index = 1;
    put_register(device, QUEUE_NOTIFY, 0);
    while (queue.used_index != 1)
        __asm__ volatile("pause");
    return queue.used[0].length;
}

/* Writes a sector, if the disk lets it, and reads it again; or asks for 16 random bytes. */
static int works(uint32_t device)
{
    if (get_register(device, DEVICE) != BLOCK) {
        describe_as(0, request_data, 16, TO_WRITE);
        return have_done(device) == 16;
    }
    int is_for_reading = get_register(device, FEATURES) >> 5 & 1, is_right = 1;
    for (uint32_t operation = 2; operation-- > 0;) { /* 1 writes, 0 reads */
        *request_status = 99;
        for (uint32_t at = 0; at < 128; at++)
            request_data[at] = operation ? at * 7 : 1;
        describe_request(operation);
        have_done(device);
        is_right &= *request_status == (operation && is_for_reading ? 1 : 0);
    }
    for (uint32_t at = 0; at < 128; at++)
        is_right &= request_data[at] == (is_for_reading ? 0 : at * 7);
    return is_right;
}

#endif
