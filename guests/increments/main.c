/*
 * increments: changes its memory in every way that there is, round by round, and says after each that it is ready. Whoever
 * goes on from any of those files must find all of memory as that round left it, the pages that no later round touched too.
 *
 * ROUNDS (argument; 4). A restored guest checks, says which round it is from, and ends; the one that was saved goes on. With
 * a second argument, a number N, it does nothing of it but dirty N pages of its memory a round, over and over for as many
 * milliseconds as a third says: what increments cost.
 */
#include "guest.h"

#define PAGES 48ul
#define WINDOW 0x100000000000ul
#define TIMER_VECTOR 32
#define PATIENCE (20 * SECONDS)

static uint8_t *written, *given_back, *filled, *mapped;
static uint64_t round, digest, grown_start, grown_size;
static volatile unsigned ticks, faults;

static uint64_t stamp(uint64_t in_round, uint64_t page)
{
    return in_round == 0 ? 0 : in_round * 0x9e3779b97f4a7c15 + page;
}

static uint64_t *word(uint8_t *memory, uint64_t page, unsigned index)
{
    return (uint64_t *)(memory + page * PAGE_SIZE) + index;
}

/* The last round up to now that touched a page: each touches a fourth of them, and others. */
static uint64_t last_round(uint64_t page)
{
    uint64_t at = round;
    while (at > 0 && (page + at) % 4 != 0)
        at--;
    return at;
}

/* By an ordinary store, a string instruction, a vector across two words, an atomic exchange. */
static void write_pages(void)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t value = stamp(round, page), count = 512, *first = word(written, page, 0), *to = first;
        if ((page + round) % 4 != 0)
            continue;
        if (page / 4 % 4 == 0)
            *(volatile uint64_t *)first = value;
        else if (page / 4 % 4 == 1)
            __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
        else if (page / 4 % 4 == 2)
            __asm__ volatile("movq %1, %%xmm0\n\tmovdqu %%xmm0, %0" : "=m"(*(uint64_t(*)[2])first) : "r"(value) : "xmm0");
        else
            __asm__ volatile("lock xchg %0, %1" : "+m"(*first), "+r"(value) : : "memory");
    }
}

/* Given back in each round: other pages; those of the last round are written again, but one in three. */
static void give_back(void)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3 == round % 3)
            call_reclaim(given_back + page * PAGE_SIZE, PAGE_SIZE);
        else if (page % 3 == (round + 1) % 3)
            *word(given_back, page, 7) = stamp(round, page);
    }
    memset(given_back + PAGES * PAGE_SIZE, round % 2 ? 0xff : 0, PAGE_SIZE); /* a page of zeros by ordinary stores */
}

static uint64_t sum(const uint8_t *bytes, uint64_t count)
{
    uint64_t result = 0xcbf29ce484222325;
    for (uint64_t i = 0; i < count; i++)
        result = (result ^ bytes[i]) * 0x100000001b3;
    return result;
}

/* What calls write: over the ends of pages, each round elsewhere. */
static void have_calls_write(void)
{
    uint8_t *place = filled + round * 3 * PAGE_SIZE;
    call_entropy(place + PAGE_SIZE - 100, 200);
    int64_t read = call_console_read(place + 2 * PAGE_SIZE - 3, 6, SWIFTLET_NO_DEADLINE);
    check(read == 6, "six bytes are typed for each round");
    digest = sum(filled, (round + 1) * 3 * PAGE_SIZE);
}

static void on_tick(struct exception_frame *frame)
{
    (void)frame;
    ticks++;
}

/* By the vector that this round has given a handler: its gate is in a page that only the VMM writes. */
static void have_it_tick(void)
{
    unsigned before = ticks;
    uint64_t start = clock_now();
    call_timer(start, TIMER_VECTOR + (unsigned)round);
    while (ticks == before)
        check(clock_now() < start + PATIENCE, "the timer ticks");
}

/* The CPU writes too: frames of exceptions and interrupts, accessed and dirty bits of page tables. */
static void have_the_cpu_write(void)
{
    uint64_t page = WINDOW + round * PAGE_SIZE;
    if (probe_read(page) != PROBE_NO_FAULT)
        faults++;
    mmu_map(page, (uint64_t)word(mapped, round, 0), PAGE_SIZE, round % 2 ? MMU_WRITE : MMU_READ);
    mmu_commit();
    *(volatile uint64_t *)(round % 2 ? page : (uint64_t)word(mapped, round, 0)) = stamp(round, 64);
    exception_handle(TIMER_VECTOR + (unsigned)round, on_tick);
    have_it_tick();
}

/* Where there is more to be had: new memory, and what is written into older grants. */
static void grow(void)
{
    struct swiftlet_grow grown = call_grow(1);
    if (grown.granted != 0) {
        mmu_map_memory(grown.start, grown.granted);
        grown_start = grown_start == 0 ? grown.start : grown_start;
        grown_size = grown.start + grown.granted - grown_start;
    }
    for (uint64_t at = 0; at < grown_size; at += 1ul << 20)
        *word((uint8_t *)grown_start + at, round, 3) = stamp(round, at);
}

static void check_grown(void)
{
    for (uint64_t at = 0; at < grown_size; at += 1ul << 20)
        for (uint64_t in = 1; in <= round; in++) {
            uint64_t value = *word((uint8_t *)grown_start + at, in, 3);
            check(value == stamp(in, at) || value == 0, "granted memory is as it was");
            check(in < round || value != 0, "and has what the last round wrote");
        }
}

static void check_all(void)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t at = last_round(page);
        check(*word(written, page, 0) == stamp(at, page), "what was written is there");
        check(page / 4 % 4 != 1 || *word(written, page, 511) == stamp(at, page), "to the end of its page");
        uint64_t value = *word(given_back, page, 7);
        uint64_t behind = (round + 3 - page % 3) % 3; /* rounds ago it was given back */
        uint64_t since = behind == 2 ? round : 0;     /* written again in the second round after */
        check(value == (round > behind || since ? stamp(since, page) : value), "what was given back is zero");
    }
    check(*word(given_back, PAGES, 511) == (round % 2 ? ~0ul : 0), "a page is zero because it was set so");
    check(digest == sum(filled, (round + 1) * 3 * PAGE_SIZE), "what calls wrote is there");
    check(faults == round, "each round's page was not mapped before");
    for (uint64_t in = 1; in <= round; in++)
        check(*(volatile uint64_t *)(WINDOW + in * PAGE_SIZE) == stamp(in, 64), "page tables lead where they did");
    check_grown();
    have_it_tick();
}

static void do_round(void)
{
    round++;
    write_pages();
    give_back();
    have_calls_write();
    have_the_cpu_write();
    grow();
}

/* For measuring: pages spread evenly over the largest free range, and over a page's words, or all would be in one place of the
 * cache. Four snapshots, then the first turn behind the last, then many. */
static void dirty(uint64_t pages, uint64_t milliseconds, const struct swiftlet_boot_info *boot)
{
    uint64_t start = 0, first = 0, size = (boot->free_end - boot->free_start) / PAGE_SIZE - 1, turns = 0;
    uint8_t *memory = allocate(size * PAGE_SIZE);
    for (uint64_t page = 0; page < size; page++)
        *word(memory, page, 0) = page + 1;
    for (;; turns++) {
        start = turns == 4 ? clock_now() : start;
        for (uint64_t i = 0; i < pages; i++)
            ++*word(memory, i * size / pages, i * 8 % 512);
        first = turns == 4 ? clock_now() - start : first;
        if (turns < 4)
            call_snapshot();
        else if (clock_now() > start + milliseconds * MILLISECONDS)
            break;
    }
    print("first turn %lu us, %lu turns in %lu ms\n", first / 1000, turns - 3, (clock_now() - start) / MILLISECONDS);
}

int main(const struct swiftlet_boot_info *boot)
{
    uint64_t rounds = argument_number(0, 4);
    if (argument_number(1, 0) != 0) {
        dirty(argument_number(1, 0), argument_number(2, 100), boot);
        return 0;
    }
    written = allocate((PAGES + 1) * PAGE_SIZE);
    given_back = allocate((PAGES + 1) * PAGE_SIZE);
    filled = allocate((rounds + 1) * 3 * PAGE_SIZE);
    mapped = allocate((rounds + 1) * PAGE_SIZE);
    while (round < rounds) {
        do_round();
        int64_t result = call_snapshot();
        check_all();
        if (result == SWIFTLET_SNAPSHOT_RESTORED) {
            print("round %lu: ok\n", round);
            return 0;
        }
    }
    print("%lu rounds: ok\n", round);
    return 0;
}
