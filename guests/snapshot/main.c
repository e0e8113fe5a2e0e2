/*
 * snapshot: says that it is ready, and lives on in two guests: the one that was saved and the one that was made from the
 * file. In both its memory, its page tables, its handlers, its timer and its clock are as they were, and page-table edits
 * take effect as before. The restored one is told so, and has fresh entropy.
 *
 * With the argument "crash" it ends by a null pointer, for the report's sake; with "again" it makes a second snapshot; with
 * "log" it sleeps for a second and then has the VMM read a page that nobody has touched since; with "touch" it reads that
 * page itself.
 */
#include "guest.h"

#define WINDOW 0x100000000000ul
#define PAGES 64
#define NOT_PRESENT PAGE_FAULT_USER
#define NOT_WRITABLE (PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE | PAGE_FAULT_USER)
#define TIMER_VECTOR 32
#define PATIENCE (20 * SECONDS)

static volatile unsigned fired;

static void on_timer(struct exception_frame *frame)
{
    (void)frame;
    fired++;
}

static volatile uint64_t *word(uint64_t address)
{
    return (volatile uint64_t *)address;
}

/* Mapped in reverse; every second page read-only, every third not at all. All are used before and after. */
static void prepare(uint64_t pages)
{
    for (uint64_t i = 0; i < PAGES; i++)
        mmu_map(WINDOW + i * PAGE_SIZE, pages + (PAGES - 1 - i) * PAGE_SIZE, PAGE_SIZE, MMU_WRITE);
    mmu_commit(); /* the second time they are mapped otherwise */
    for (uint64_t i = 0; i < PAGES; i++)
        *word(WINDOW + i * PAGE_SIZE) = i;
    for (uint64_t i = 0; i < PAGES; i++) {
        if (i % 2)
            mmu_protect(WINDOW + i * PAGE_SIZE, PAGE_SIZE, MMU_READ);
        if (i % 3 == 0)
            mmu_unmap(WINDOW + i * PAGE_SIZE, PAGE_SIZE);
    }
    mmu_commit();
}

static void check_pages(uint64_t pages)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t page = WINDOW + i * PAGE_SIZE;
        check(*word(pages + (PAGES - 1 - i) * PAGE_SIZE) == i, "memory is as it was");
        check(probe_read(page) == (i % 3 ? PROBE_NO_FAULT : NOT_PRESENT), "every third page is not mapped");
        if (i % 3 && i % 2)
            check(probe_write(page) == NOT_WRITABLE, "every second page is read-only");
    }
}

/* The other way round, which must be seen at once. */
static void check_edits(uint64_t pages)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        mmu_map(WINDOW + i * PAGE_SIZE, pages + i * PAGE_SIZE, PAGE_SIZE, i % 2 ? MMU_WRITE : MMU_READ);
    }
    mmu_commit();
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t page = WINDOW + i * PAGE_SIZE;
        check(*word(page) == PAGES - 1 - i, "a page that was remapped leads to its new place");
        check(probe_write(page) == (i % 2 ? PROBE_NO_FAULT : NOT_WRITABLE), "a page's new protection counts");
        *word(pages + i * PAGE_SIZE) = PAGES - 1 - i; /* a probe writes a zero byte */
    }
}

/* On pages of its own, far from any that is used otherwise. */
static const char untouched[64 * PAGE_SIZE] __attribute__((aligned(4096))) = {[32 * PAGE_SIZE] = 'u'};

static void touch_late(bool by_vmm)
{
    const char *text = untouched + 32 * PAGE_SIZE;
    sleep_until(clock_now() + 1 * SECONDS);
    if (by_vmm)
        call_log(SWIFTLET_LOG_INFO, text, 1);
    check(*(const volatile char *)text == 'u', "a page is as it was");
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void check_told(int64_t result, uint32_t generation, const uint8_t *entropy)
{
    if (result == SWIFTLET_SNAPSHOT_RESTORED) {
        check(call_page()->generation == generation + 1, "a restore is counted");
        check(!is_zero(call_page()->entropy, 32), "a restored guest has entropy");
        check(memcmp(call_page()->entropy, entropy, 32) != 0, "a restored guest's entropy is fresh");
    } else {
        check(call_page()->generation == generation, "the guest that was saved is the same");
        check(memcmp(call_page()->entropy, entropy, 32) == 0, "and has the entropy that it had");
    }
}

static const char *words(int64_t result)
{
    return result == SWIFTLET_SNAPSHOT_SAVED ? "saved" : result == SWIFTLET_SNAPSHOT_RESTORED ? "restored" : "none";
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t pages = (uint64_t)allocate(PAGES * PAGE_SIZE);
    exception_handle(TIMER_VECTOR, on_timer);
    prepare(pages);
    for (int rounds = argument_is(0, "again") ? 2 : 1; rounds > 0; rounds--) {
        uint8_t entropy[32];
        memcpy(entropy, call_page()->entropy, 32);
        uint32_t generation = call_page()->generation;
        fired = 0;
        uint64_t before = clock_now();
        call_timer(before + 50 * MILLISECONDS, TIMER_VECTOR);

        int64_t result = call_snapshot();
        uint64_t after = clock_now();
        check(after >= before, "the clock goes on");
        check(after - before < 3600 * SECONDS, "the clock does not jump");
        check_told(result, generation, entropy);
        check_pages(pages);
        while (fired == 0)
            check(clock_now() < before + PATIENCE, "the timer goes on");
        check(clock_now() + MILLISECONDS >= before + 50 * MILLISECONDS, "the timer does not fire early");
        check(fired == 1, "the timer fires once");
        check_edits(pages);
        prepare(pages);
        print("%s, generation %u\n", words(result), call_page()->generation);
    }
    if (argument_is(0, "log") || argument_is(0, "touch"))
        touch_late(argument_is(0, "log"));
    if (argument_is(0, "crash")) {
        exception_handle(VECTOR_PAGE_FAULT, 0);
        *word(0) = 1;
    }
    return 0;
}
