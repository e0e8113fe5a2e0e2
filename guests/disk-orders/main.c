/*
 * disk-orders: does with its disk what its input says, and says what each came to: an error of the disk is a result, and the
 * guest goes on. A line is an order, the first letters of its words count:
 *
 *   call|ring read|write|flush BLOCK      of 4 KiB; write fills it with the number of the block + 1
 *   leave read|write|flush BLOCK          by ring, and ends without waiting for it
 *
 * The answer is the order and its result: 0, or what went wrong (swiftlet_devices.h); of a read that succeeds, the first byte too.
 */
#include "guest.h"

DECLARE_DEVICE(disk_note, SWIFTLET_DEVICE_BLOCK, "disk");

#define SIZE 4096ul

static uint32_t disk;
static struct ring ring;
static uint8_t *block;

static void submit(uint32_t operation, uint64_t offset)
{
    struct swiftlet_ring_entry entry = {
        .operation = operation, .device = disk, .buffer = (uint64_t)block, .length = SIZE, .offset = offset};
    ring_submit(&ring, &entry);
    ring_kick(&ring);
}

static int64_t by_ring(uint32_t operation, uint64_t offset)
{
    struct swiftlet_ring_completion completion;
    submit(operation, offset);
    ring_wait(&ring, &completion);
    return completion.result;
}

static uint32_t operation_of(const char *word)
{
    return *word == 'r' ? SWIFTLET_BLOCK_READ : *word == 'w' ? SWIFTLET_BLOCK_WRITE : SWIFTLET_BLOCK_FLUSH;
}

static const char *behind_space(const char *text)
{
    while (*text != '\0' && *text++ != ' ')
        ;
    return text;
}

/* Whether to go on. */
static int obey(const char *order)
{
    const char *word = behind_space(order);
    uint32_t operation = operation_of(word);
    uint64_t number = 0;
    for (const char *digit = behind_space(word); *digit != '\0'; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    memset(block, operation == SWIFTLET_BLOCK_WRITE ? (int)number + 1 : 0xee, SIZE);
    if (*order == 'l') {
        submit(operation, number * SIZE);
        return 0;
    }
    int64_t result = *order == 'r' ? by_ring(operation, number * SIZE)
                                   : block_transfer(disk, operation, number * SIZE, block, SIZE);
    if (operation == SWIFTLET_BLOCK_READ && result == 0)
        print("%s: 0, %u\n", order, block[0]);
    else
        print("%s: %ld\n", order, result);
    return 1;
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    disk = device_find("disk");
    block = allocate(SIZE);
    ring_make(&ring, 8, 0);
    char line[64], letter;
    size_t length = 0;
    while (console_read(&letter, 1) == 1) {
        if (letter == '\n') {
            line[length] = '\0';
            if (!obey(line))
                return 0;
            length = 0;
        } else if (length < sizeof line - 1) {
            line[length++] = letter;
        }
    }
    return 0;
}
