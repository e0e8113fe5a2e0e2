/*
 * Shows: a disk of the manifest is there, holds what is written to it, and refuses what lies outside of it.
 *
 * Every tenth block is written first and compared afterwards. Read next: ../hvt-net/main.c.
 */
#include "hvt.h"

HVT_MANIFEST({.name = "storage", .type = HVT_BLOCK});

static uint64_t buffer[4096];

static int transfer(int call, uint64_t handle, uint64_t offset, uint64_t length)
{
    struct hvt_block block = {handle, offset, (uint64_t)buffer, length, 99};
    hvt_call(call, &block);
    return block.result;
}

static void check_refusals(uint64_t capacity, uint64_t size)
{
    hvt_check(transfer(HVT_BLOCK_READ, 1, capacity, size) == HVT_INVALID, "reading behind the end is refused");
    hvt_check(transfer(HVT_BLOCK_WRITE, 1, capacity, size) == HVT_INVALID, "writing behind the end is refused");
    hvt_check(transfer(HVT_BLOCK_READ, 1, capacity - size, 2 * size) == HVT_INVALID, "across the end is refused");
    hvt_check(transfer(HVT_BLOCK_READ, 1, ~0ull, size) == HVT_INVALID, "an offset that wraps is refused");
    hvt_check(transfer(HVT_BLOCK_READ, 1, 0, ~0ull) == HVT_INVALID, "a length that wraps is refused");
    hvt_check(transfer(HVT_BLOCK_READ, 0, 0, size) == HVT_INVALID, "handle 0 is no disk");
    hvt_check(transfer(HVT_BLOCK_READ, 2, 0, size) == HVT_INVALID, "handle 2 is no disk");
    hvt_check(transfer(HVT_BLOCK_READ, ~0ull, 0, size) == HVT_INVALID, "a handle of ones is no disk");
}

int hvt_main(const struct hvt_boot_info *info)
{
    const struct hvt_entry *disk = &info->manifest->entry[1];
    uint64_t capacity = disk->block.capacity, size = disk->block.block_size;
    hvt_check(disk->attached && hvt_equal(disk->name, "storage"), "the disk is attached");
    hvt_check(capacity >= size && size >= 512 && size <= sizeof buffer, "its sizes are a disk's");
    for (uint64_t offset = 0; offset + size <= capacity; offset += 10 * size) {
        buffer[0] = offset;
        buffer[size / 8 - 1] = ~offset;
        hvt_check(transfer(HVT_BLOCK_WRITE, 1, offset, size) == HVT_OK, "a block is written");
    }
    for (uint64_t offset = 0; offset + size <= capacity; offset += 10 * size) {
        buffer[0] = buffer[size / 8 - 1] = 1;
        hvt_check(transfer(HVT_BLOCK_READ, 1, offset, size) == HVT_OK, "a block is read");
        hvt_check(buffer[0] == offset && buffer[size / 8 - 1] == ~offset, "it holds what was written");
    }
    check_refusals(capacity, size);
    hvt_puts("hvt-block: ok\n");
    return 0;
}
