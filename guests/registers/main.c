/*
 * registers: computes with every register that the host has, the widest vectors included, and prints a digest of all of
 * them at the end. ROUNDS (argument; 1000) times, all of it in registers: so a snapshot at any instant that does not keep
 * each bit leads to another digest. FS and GS bases are there too. With a second argument, "ticks", the timer interrupts the
 * computation a thousand times a second, and each tick arms the next: a snapshot that loses one stops them for ever.
 *
 * The digest of 1000 rounds is also computed in halves, from memory in the middle, which must make no difference.
 */
#include "guest.h"

#define LEAF7_EBX_FSGSBASE (1u << 0)
#define LEAF7_EBX_AVX2 (1u << 5)
#define LEAF7_EBX_AVX512BW (1u << 30)
#define XCR0_AVX 0x6u
#define XCR0_AVX512 0xe6u

/* The layout that registers.S knows. */
struct registers {
    uint64_t general[16];
    uint8_t x87[8][16];
    uint64_t masks[8];
    uint32_t mxcsr;
    uint16_t x87_control, padding;
    uint64_t carry;
    uint64_t reserved[6];
    uint64_t vectors[32][8];
} __attribute__((aligned(64)));

_Static_assert(__builtin_offsetof(struct registers, x87) == 0x80, "X87");
_Static_assert(__builtin_offsetof(struct registers, masks) == 0x100, "MASKS");
_Static_assert(__builtin_offsetof(struct registers, mxcsr) == 0x140, "CONTROL");
_Static_assert(__builtin_offsetof(struct registers, vectors) == 0x180, "VECTORS");

void churn_sse2(struct registers *state, uint64_t rounds);
void churn_avx2(struct registers *state, uint64_t rounds);
void churn_avx512(struct registers *state, uint64_t rounds);

typedef void (*churning)(struct registers *state, uint64_t rounds);

static churning widest(const struct swiftlet_cpu_features *features)
{
    if ((features->leaf7_ebx & LEAF7_EBX_AVX512BW) && (features->xcr0 & XCR0_AVX512) == XCR0_AVX512)
        return churn_avx512;
    if ((features->leaf7_ebx & LEAF7_EBX_AVX2) && (features->xcr0 & XCR0_AVX) == XCR0_AVX)
        return churn_avx2;
    return churn_sse2;
}

/* Numbers without a pattern, and floating-point ones that x87 keeps as they are. */
static void fill(struct registers *state)
{
    uint64_t word = 0x9e3779b97f4a7c15;
    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < 16; i++)
        state->general[i] = word *= 0xd1342543de82ef95;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mantissa = (word *= 0xd1342543de82ef95) | 1ul << 63;
        memcpy(state->x87[i], &mantissa, 8);
        state->x87[i][8] = (uint8_t)(0xf0 + i);
        state->x87[i][9] = 0x3f;
        state->masks[i] = word *= 0xd1342543de82ef95;
    }
    state->mxcsr = 0x5f80;       /* rounds down, flushes nothing to zero, masks all */
    state->x87_control = 0x0f7f; /* rounds to zero, 64 bits, masks all */
    for (unsigned i = 0; i < 32; i++)
        for (unsigned lane = 0; lane < 8; lane++)
            state->vectors[i][lane] = word *= 0xd1342543de82ef95;
}

/* FNV-1a by words. */
static uint64_t digest(const struct registers *state)
{
    const uint64_t *word = (const uint64_t *)(const void *)state;
    uint64_t sum = 0xcbf29ce484222325;
    for (unsigned i = 0; i < sizeof *state / 8; i++)
        sum = (sum ^ word[i]) * 0x100000001b3;
    return sum;
}

#define FS_BASE 0x123456789000
#define GS_BASE 0xffff876543210000

/* The call page is mapped there too, for calls are made by the base of GS (calls.h). */
static void set_bases(void)
{
    mmu_map(GS_BASE, boot_info->call_page, PAGE_SIZE, MMU_WRITE);
    __asm__ volatile("wrfsbase %0\n\twrgsbase %1" : : "r"((uint64_t)FS_BASE), "r"((uint64_t)GS_BASE));
}

static bool bases_are_kept(void)
{
    uint64_t fs, gs;
    __asm__ volatile("rdfsbase %0\n\trdgsbase %1" : "=r"(fs), "=r"(gs));
    return fs == FS_BASE && gs == GS_BASE;
}

#define TIMER_VECTOR 32
#define PATIENCE (5 * SECONDS)

static volatile uint64_t ticks, last_tick;

static void on_tick(struct exception_frame *frame)
{
    (void)frame;
    ticks++;
    last_tick = clock_now();
    call_timer(last_tick + 1 * MILLISECONDS, TIMER_VECTOR);
}

static void start_ticks(void)
{
    exception_handle(TIMER_VECTOR, on_tick);
    last_tick = clock_now();
    call_timer(last_tick, TIMER_VECTOR);
}

/* One more comes. */
static void check_ticks(void)
{
    uint64_t before = ticks, start = clock_now();
    while (ticks == before)
        check(clock_now() < start + PATIENCE, "the timer ticks on");
    call_timer(SWIFTLET_NO_DEADLINE, TIMER_VECTOR);
}

int main(const struct swiftlet_boot_info *boot)
{
    static struct registers state, halved;
    churning churn = widest(&boot->features);
    fill(&state);
    fill(&halved);
    churn(&halved, 500);
    check(digest(&halved) != digest(&state), "rounds change the registers");
    churn(&state, 500);
    check(digest(&halved) == digest(&state), "the same rounds give the same registers");

    bool has_bases = boot->features.leaf7_ebx & LEAF7_EBX_FSGSBASE;
    if (has_bases)
        set_bases();
    print("computing\n");
    uint64_t rounds = argument_number(0, 1000);
    fill(&state);
    bool has_ticks = argument_is(1, "ticks");
    if (has_ticks)
        start_ticks();
    churn(&state, rounds);
    if (has_ticks)
        check_ticks();
    check(!has_bases || bases_are_kept(), "FS and GS bases are kept");
    print("%lu rounds: %016lx\n", rounds, digest(&state));
    return 0;
}
