/*
 * virtio-hostile: a driver with two processors, of which one rewrites queues and registers while the other uses the device.
 *
 * Processor 0 brings the device up, offers chains and rings its doorbell; processor 1 meanwhile puts other words into
 * descriptors, rings, requests and registers, at any moment. Addresses lead into the playground or out of memory, whichever
 * halves of them meet, and lengths are short or longer than memory: so that what a device may write to is the playground, and
 * all around it must stay as it was. In the end, alone again, processor 0 gets its requests done as if nothing had been.
 * Virtio 1.2, sections 2.7 and 4.2. Ends with status 1 when all was right; "BAD" says what was not.
 */
#include "device.h"
#include "kernel.h"
#include "../smp-hello/smp.h"

#define APIC 0xfee00000
#define INIT_OTHERS 0xc4500
#define START_OTHERS (0xc4600 | TRAMPOLINE >> 12)
#define ROUNDS_LEAST 30
#define ROUNDS_MOST 3000
#define DOORBELLS 16

extern const uint8_t trampoline[], trampoline_end[];
uint8_t processor_stacks[PROCESSORS_MAX][STACK_SIZE];
volatile uint32_t processors_begun;

static volatile uint32_t device, doorbells, is_over, is_at_rest;

void kernel(uint32_t magic, const void *information);
void processor(void);

static uint32_t chance(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223; /* Knuth, The Art of Computer Programming, vol. 2, 3.3.4 */
    return (*seed >> 8) % below;
}

/* Half of an address, mostly of the playground; the other halves are no memory. */
static uint32_t low_half(uint32_t *seed)
{
    static const uint32_t outside[] = {0xfffff8, MEMORY_SIZE, 0x7ffff000, 0xd0000000, 0xfee00000, 0xfffff000};
    return chance(seed, 16) ? PLAYGROUND + chance(seed, PLAYGROUND_SIZE / 16) * 16 : outside[chance(seed, 6)];
}

static uint32_t high_half(uint32_t *seed) { return chance(seed, 64) ? 0 : chance(seed, 2) ? 1 : 0xffffffff; }

static uint32_t length(uint32_t *seed)
{
    return chance(seed, 32) ? chance(seed, 4) * 512 + 16 : chance(seed, 2) ? MEMORY_SIZE : 0xffffffff;
}

static void describe(uint32_t *seed)
{
    volatile struct descriptor *d = &queue.descriptors[chance(seed, QUEUE_SIZE)];
    d->address[0] = low_half(seed);
    d->address[1] = high_half(seed);
    d->length = length(seed);
    d->flags = (uint16_t)chance(seed, chance(seed, 16) ? 4 : 8); /* one more of them, to write, and rarely: indirect */
    d->next = (uint16_t)chance(seed, chance(seed, 16) ? QUEUE_SIZE : 65536);
}

/* Any register, in any width; rarely, because each is an exit. */
static void disturb(uint32_t *seed)
{
    static const uint16_t places[] = {0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4};
    uint32_t place = device + places[chance(seed, sizeof places / sizeof *places)];
    uint32_t value = chance(seed, 2) ? chance(seed, 16) : (place & 4) ? high_half(seed) : low_half(seed);
    switch (chance(seed, 8)) {
    case 0: *(volatile uint8_t *)(device + chance(seed, 4096)) = (uint8_t)value; break;
    case 1: *(volatile uint16_t *)(device + chance(seed, 2048) * 2) = (uint16_t)value; break;
    default: *(volatile uint32_t *)place = value;
    }
}

/* Lets a request through: the faster processor 1 is beside the device, the less would ever be served. */
static void rest(void)
{
    uint32_t before = doorbells;
    while (doorbells - before < 2 && !is_over)
        __asm__ volatile("pause");
}

/* Processor 1, until it is told that it is over. */
void processor(void)
{
    uint32_t seed = 2;
    while (!is_over) {
        if (!chance(&seed, 256))
            rest();
        switch (chance(&seed, 32)) {
        case 0: disturb(&seed); break;
        case 1: queue.available_index = (uint16_t)(queue.available_index + chance(&seed, QUEUE_SIZE * 2)); break;
        case 2: queue.available_flags = (uint16_t)chance(&seed, 65536); break;
        case 3: queue.used_index = (uint16_t)chance(&seed, 65536); break;
        case 4 ... 11: queue.heads[chance(&seed, QUEUE_SIZE)] = (uint16_t)chance(&seed, QUEUE_SIZE + 1); break;
        case 12 ... 15: ((volatile uint32_t *)PLAYGROUND)[chance(&seed, PLAYGROUND_SIZE / 4)] = chance(&seed, 16); break;
        default: describe(&seed);
        }
    }
    is_at_rest = 1;
}

/*
 * Processor 0's part: how often the device has served something, and how often it gave up, by the device's own registers, which
 * processor 1 cannot set. Which of the two comes is chance, and how likely, the host's scheduler's: so until both have come.
 */
static void use(uint32_t *served, uint32_t *broken)
{
    uint32_t seed = 1;
    for (int round = 0; round < ROUNDS_LEAST || (round < ROUNDS_MOST && !(*served && *broken)); round++) {
        bring_up(device);
        for (int bell = 0; bell < DOORBELLS; bell++) {
            describe_request(chance(&seed, 2));
            queue.heads[queue.available_index % QUEUE_SIZE] = 0;
            queue.available_index++;
            put_register(device, QUEUE_NOTIFY, 0);
            doorbells++;
            for (int turn = 0; turn < 100 && queue.used[0].length == UNUSED; turn++)
                __asm__ volatile("pause");
        }
        *served += get_register(device, INTERRUPT_STATUS) & 1;
        *broken += (get_register(device, STATUS) & NEEDS_RESET) != 0;
    }
}

static void start_other(void)
{
    for (uint32_t at = 0; at < (uint32_t)(trampoline_end - trampoline); at++)
        ((volatile uint8_t *)TRAMPOLINE)[at] = trampoline[at];
    static const uint32_t messages[] = {INIT_OTHERS, START_OTHERS, START_OTHERS};
    *(volatile uint32_t *)(APIC + 0xf0) = 0x1ff;
    for (int message = 0; message < 3; message++)
        *(volatile uint32_t *)(APIC + 0x300) = messages[message];
    while (!processors_begun)
        __asm__ volatile("pause");
}

/* The words on both sides of the playground. */
static uint32_t fence(int is_set)
{
    uint32_t changed = 0;
    for (uint32_t at = 0; at < FENCE_SIZE; at += 16) {
        volatile uint32_t *before = (volatile uint32_t *)(PLAYGROUND - FENCE_SIZE + at);
        volatile uint32_t *behind = (volatile uint32_t *)(PLAYGROUND + PLAYGROUND_SIZE + at);
        if (is_set)
            *before = *behind = ~at;
        changed += (*before != ~at) + (*behind != ~at);
    }
    return changed;
}

static int check(const char *what, uint32_t is_right)
{
    print(is_right ? "ok  " : "BAD ");
    print(what);
    put('\n');
    return !is_right;
}

void kernel(uint32_t magic, const void *information)
{
    int failures = check("Multiboot", magic == 0x2badb002 && information);
    uint32_t served = 0, broken = 0;
    fence(1);
    device = FIRST_DEVICE;
    start_other();
    for (; get_register(device, MAGIC) == 0x74726976; device += DEVICE_DISTANCE)
        use(&served, &broken);
    is_over = 1;
    while (!is_at_rest)
        __asm__ volatile("pause");
    failures += check("requests were served", served > 0) + check("queues were broken", broken > 0);
    failures += check("nothing around the playground has changed", fence(0) == 0);
    for (uint32_t place = FIRST_DEVICE; get_register(place, MAGIC) == 0x74726976; place += DEVICE_DISTANCE)
        failures += check(get_register(place, DEVICE) == BLOCK ? "the disk works" : "entropy comes", works(place));
    end(failures ? 1 : 0);
}
