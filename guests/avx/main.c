/*
 * avx: the widest vector registers of the host work in a guest, all of them at full width. Which there are is in boot
 * info: a ring-3 guest never asks CPUID, whose answer the VMM could not mask on every host.
 *
 * The result is checked against the same sums in plain C. Then ROUNDS more (argument; 100000) are timed, for the
 * comparison with a process (`make native`).
 */
#include "guest.h"

#define CHECKED_ROUNDS 1000

#define LEAF7_EBX_AVX2 (1u << 5)
#define LEAF7_EBX_AVX512F (1u << 16)
#define XCR0_AVX 0x6u     /* the states of SSE and AVX */
#define XCR0_AVX512 0xe6u /* and of mask registers, ZMM's upper halves, ZMM16 to 31 */

void mix_sse2(uint64_t *state, uint64_t rounds);
void mix_avx2(uint64_t *state, uint64_t rounds);
void mix_avx512(uint64_t *state, uint64_t rounds);

struct vectors {
    const char *name;
    unsigned registers;
    unsigned lanes; /* of 64 bits */
    void (*mix)(uint64_t *state, uint64_t rounds);
};

static struct vectors widest(const struct swiftlet_cpu_features *features)
{
    uint32_t leaf7 = features->leaf7_ebx;
    if ((leaf7 & LEAF7_EBX_AVX512F) && (features->xcr0 & XCR0_AVX512) == XCR0_AVX512)
        return (struct vectors){"AVX-512", 32, 8, mix_avx512};
    if ((leaf7 & LEAF7_EBX_AVX2) && (features->xcr0 & XCR0_AVX) == XCR0_AVX)
        return (struct vectors){"AVX2", 16, 4, mix_avx2};
    return (struct vectors){"SSE2", 16, 2, mix_sse2};
}

/* What vectors.S computes, lane by lane. */
static void mix_plainly(const struct vectors *vectors, uint64_t *state, uint64_t rounds)
{
    unsigned lanes = vectors->lanes, last = vectors->registers - 1;
    for (uint64_t round = 0; round < rounds; round++)
        for (unsigned lane = 0; lane < lanes; lane++) {
            for (unsigned i = 1; i <= last; i++)
                state[i * lanes + lane] += state[lane];
            state[lane] += state[last * lanes + lane];
        }
}

int main(const struct swiftlet_boot_info *boot)
{
    static uint64_t state[32 * 8] __attribute__((aligned(64))), expected[32 * 8];
    struct vectors vectors = widest(&boot->features);
    unsigned count = vectors.registers * vectors.lanes;
    for (unsigned i = 0; i < count; i++)
        state[i] = expected[i] = i * 0x9e3779b97f4a7c15 + 1;

    vectors.mix(state, CHECKED_ROUNDS);
    mix_plainly(&vectors, expected, CHECKED_ROUNDS);
    check(memcmp(state, expected, sizeof state) == 0, "vectors compute what plain C does");

    uint64_t rounds = argument_number(0, 100000), start = clock_cycles();
    vectors.mix(state, rounds);
    uint64_t cycles = clock_cycles() - start;
    print("%s: %u registers of %u bits: ok\ncycles %lu\n", vectors.name, vectors.registers, vectors.lanes * 64, cycles);
    return 0;
}
