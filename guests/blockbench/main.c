/*
 * blockbench: a disk by call and by ring. Proves that data arrives, then says what a 4 KiB operation costs.
 *
 *   blockbench                          writes by one way and reads by the other, flushes, discards, meets the ends
 *   blockbench HOW COUNT DEPTH [write|random]  HOW is call or ring: COUNT operations of 4 KiB one behind the other, or reads at
 *                                       random, the ring with DEPTH under way at once; prints one's nanoseconds, 50 times
 *   blockbench flood HOW                writes records of 512 bytes that carry their number, and says which are flushed
 *   blockbench lie                      says that its ring holds more than it can, and waits for what comes of that
 */
#include "guest.h"

DECLARE_DEVICE(disk_note, SWIFTLET_DEVICE_BLOCK, "disk");

#define SIZE 4096ul
#define DEPTH_MAXIMUM 256u
#define SAMPLES 50

static uint32_t disk;
static uint64_t capacity;
static struct ring ring;
static bool at_random;

static struct swiftlet_ring_entry entry(uint32_t operation, uint64_t offset, const void *buffer, uint32_t length)
{
    return (struct swiftlet_ring_entry){
        .operation = operation, .device = disk, .buffer = (uint64_t)buffer, .length = length, .offset = offset};
}

/* One operation by ring, waited for: its result. */
static int32_t by_ring(uint32_t operation, uint64_t offset, const void *buffer, uint32_t length)
{
    struct swiftlet_ring_entry submitted = entry(operation, offset, buffer, length);
    struct swiftlet_ring_completion completion;
    submitted.id = (uint32_t)offset ^ 0x5a5a5a5a;
    ring_submit(&ring, &submitted);
    ring_kick(&ring);
    ring_wait(&ring, &completion);
    check(completion.id == submitted.id, "a completion names its entry");
    return completion.result;
}

static void fill(uint64_t *page, uint64_t seed)
{
    for (uint64_t i = 0; i < SIZE / 8; i++)
        page[i] = (seed + i) * 0x9e3779b97f4a7c15;
}

static void prove(uint64_t *page, uint64_t *other)
{
    uint64_t blocks = capacity / SIZE;
    for (uint64_t block = 0; block < blocks; block++) {
        fill(page, block);
        int64_t result = block % 2 ? by_ring(SWIFTLET_BLOCK_WRITE, block * SIZE, page, SIZE)
                                   : block_transfer(disk, SWIFTLET_BLOCK_WRITE, block * SIZE, page, SIZE);
        check(result == 0, "a block is written");
    }
    check(by_ring(SWIFTLET_BLOCK_FLUSH, 0, NULL, 0) == 0, "a flush by ring");
    check(block_transfer(disk, SWIFTLET_BLOCK_FLUSH, 0, NULL, 0) == 0, "a flush by call");
    for (uint64_t block = 0; block < blocks; block++) {
        fill(page, block);
        int64_t result = block % 2 ? block_transfer(disk, SWIFTLET_BLOCK_READ, block * SIZE, other, SIZE)
                                   : by_ring(SWIFTLET_BLOCK_READ, block * SIZE, other, SIZE);
        check(result == 0 && memcmp(page, other, SIZE) == 0, "a block is read as it was written the other way");
    }
    check(by_ring(SWIFTLET_BLOCK_READ, capacity, page, 0) == 0, "nothing at the end");
    check(by_ring(SWIFTLET_BLOCK_READ, capacity - 1, page, 2) == SWIFTLET_OUT_OF_RANGE, "not beyond it by ring");
    check(block_transfer(disk, SWIFTLET_BLOCK_READ, ~0ul, page, 2) == SWIFTLET_OUT_OF_RANGE, "nor by call");
    check(by_ring(SWIFTLET_BLOCK_READ, 0, (void *)(boot_info->memory_size - 1), 2) == SWIFTLET_BAD_ENTRY,
          "not outside memory");
    check(by_ring(99, 0, page, 2) == SWIFTLET_BAD_ENTRY, "no unknown operation");
    check(by_ring(SWIFTLET_BLOCK_DISCARD, 0, NULL, SIZE) == 0, "a discard by ring");
    print("%lu blocks of %u-byte sectors: what is written one way is read the other\n", blocks,
          device_table()[disk].sector_size);
}

/* Where operation number i goes. */
static uint64_t place(uint64_t i)
{
    static uint64_t random = 0x9e3779b97f4a7c15; /* xorshift64 */
    if (!at_random)
        return i * SIZE % capacity;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % (capacity / SIZE) * SIZE;
}

static uint64_t measure_calls(uint32_t operation, uint8_t *pages, uint64_t count)
{
    uint64_t start = clock_now();
    for (uint64_t i = 0; i < count; i++)
        check(block_transfer(disk, operation, place(i), pages, SIZE) == 0, "an operation by call");
    return clock_now() - start;
}

static uint64_t measure_ring(uint32_t operation, uint8_t *pages, uint64_t count, uint32_t depth)
{
    struct swiftlet_ring_completion completion;
    uint64_t submitted = 0, start = clock_now();
    for (uint64_t done = 0; done < count; done++) {
        for (; submitted < count && submitted < done + depth; submitted++) {
            struct swiftlet_ring_entry next =
                entry(operation, place(submitted), pages + submitted % depth * SIZE, SIZE);
            ring_submit(&ring, &next);
        }
        ring_kick(&ring);
        ring_wait(&ring, &completion);
        check(completion.result == 0, "an operation by ring");
    }
    return clock_now() - start;
}

static int64_t one(bool rings, uint32_t operation, uint64_t offset, void *buffer, uint32_t length)
{
    return rings ? by_ring(operation, offset, buffer, length) : block_transfer(disk, operation, offset, buffer, length);
}

/* For whoever kills us meanwhile: record n says n in each of its words, and what was printed is on the disk. */
_Noreturn static void flood(bool rings, uint64_t *record)
{
    for (uint64_t number = 1;; number++) {
        for (uint64_t i = 0; i < 64; i++)
            record[i] = number;
        uint64_t place = number * 512 % (capacity / 512 * 512);
        check(one(rings, SWIFTLET_BLOCK_WRITE, place, record, 512) == 0, "a record is written");
        if (number % 8 == 0) {
            check(one(rings, SWIFTLET_BLOCK_FLUSH, 0, NULL, 0) == 0, "a record is flushed");
            print("%lu\n", number);
        }
    }
}

/* No completion can come of it. */
_Noreturn static void lie(void)
{
    __atomic_store_n(&ring.shared->submission_tail, DEPTH_MAXIMUM + 1, __ATOMIC_RELEASE);
    ring_kick(&ring);
    for (;;)
        __builtin_ia32_pause();
}

int main(const struct swiftlet_boot_info *boot)
{
    disk = device_find("disk");
    capacity = device_table()[disk].capacity / SIZE * SIZE;
    uint8_t *pages = allocate(DEPTH_MAXIMUM * SIZE);
    ring_make(&ring, DEPTH_MAXIMUM, 0);
    if (boot->command_line_size == 0) {
        prove((uint64_t *)(void *)pages, (uint64_t *)(void *)(pages + SIZE));
        return 0;
    }
    if (argument_is(0, "flood"))
        flood(argument_is(1, "ring"), (uint64_t *)(void *)pages);
    if (argument_is(0, "lie"))
        lie();
    check(argument_is(0, "call") || argument_is(0, "ring"), "HOW is call or ring");
    uint64_t count = argument_number(1, 1000), depth = argument_number(2, 1);
    check(depth >= 1 && depth <= DEPTH_MAXIMUM && capacity > 0, "a depth from 1 to 256 and a disk of 4 KiB");
    check(argument_is(3, "") || argument_is(3, "write") || argument_is(3, "random"), "write, random or nothing");
    uint32_t operation = argument_is(3, "write") ? SWIFTLET_BLOCK_WRITE : SWIFTLET_BLOCK_READ;
    at_random = argument_is(3, "random");
    int64_t samples[SAMPLES];
    for (unsigned sample = 0; sample < SAMPLES; sample++) {
        uint64_t nanoseconds = argument_is(0, "ring") ? measure_ring(operation, pages, count, (uint32_t)depth)
                                                      : measure_calls(operation, pages, count);
        samples[sample] = (int64_t)(nanoseconds / count);
    }
    print_numbers("nanoseconds", samples, SAMPLES);
    return 0;
}
