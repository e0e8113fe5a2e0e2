/*
 * remap: says that it is ready, checks that it finds everything as it was then, and spoils it. Each life of a clone must
 * pass the same checks, whatever the last one did: mappings, memory, handlers, timer, every vector register.
 *
 * Its input says what is to be spoilt, a letter for each (`spoil`). It ends with status 0, or as the last letter has it.
 */
#include "guest.h"

#define WINDOW 0x100000000000ul
#define FAR_WINDOW 0x200000000000ul
#define EMPTY_WINDOW 0x300000000000ul /* its tables are there, and hold nothing */
#define PAGES 64
#define ZERO_PAGES 300
#define LARGE (512 * PAGE_SIZE)
#define TIMER_VECTOR 32
#define NOT_PRESENT PAGE_FAULT_USER
#define NOT_WRITABLE (PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE | PAGE_FAULT_USER)
#define AVX (1u << 28)

static uint64_t pages, zeros;
static volatile unsigned fired;
static _Alignas(32) uint8_t before[16][32], after[16][32];

static volatile uint64_t *word(uint64_t address)
{
    return (volatile uint64_t *)address;
}

static uint64_t number(uint64_t i)
{
    return i * 0x9e3779b97f4a7c15 + 1;
}

static void on_timer(struct exception_frame *frame)
{
    (void)frame;
    fired++;
}

/* Mapped in reverse, all used; then every second read-only, every third not at all. */
static void prepare(void)
{
    for (uint64_t i = 0; i < PAGES; i++)
        mmu_map(WINDOW + i * PAGE_SIZE, pages + (PAGES - 1 - i) * PAGE_SIZE, PAGE_SIZE, MMU_WRITE);
    for (uint64_t i = 0; i < PAGES; i++)
        *word(WINDOW + (PAGES - 1 - i) * PAGE_SIZE) = number(i);
    for (uint64_t i = 0; i < PAGES; i++) {
        if (i % 2)
            mmu_protect(WINDOW + i * PAGE_SIZE, PAGE_SIZE, MMU_READ);
        if (i % 3 == 0)
            mmu_unmap(WINDOW + i * PAGE_SIZE, PAGE_SIZE);
    }
    mmu_map(EMPTY_WINDOW, pages, PAGE_SIZE, MMU_WRITE);
    mmu_unmap(EMPTY_WINDOW, PAGE_SIZE);
    mmu_commit();
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 32; j++)
            before[i][j] = (uint8_t)(i * 32 + j + 1);
}

static void check_memory(void)
{
    for (uint64_t i = 0; i < PAGES; i++)
        check(*word(pages + i * PAGE_SIZE) == number(i), "memory is as it was");
    for (uint64_t i = 0; i < ZERO_PAGES; i++)
        check(*word(zeros + i * PAGE_SIZE + 8 * (i % 512)) == 0, "memory that was zero is zero");
}

static void check_mappings(void)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t page = WINDOW + i * PAGE_SIZE;
        check(probe_read(page) == (i % 3 ? PROBE_NO_FAULT : NOT_PRESENT), "every third page is not mapped");
        if (i % 3)
            check(*word(page) == number(PAGES - 1 - i), "a page leads to where it led");
        if (i % 3 && i % 2)
            check(probe_write(page) == NOT_WRITABLE, "every second page is read-only");
    }
    check(probe_read(FAR_WINDOW) == NOT_PRESENT, "what another life mapped is not mapped");
    check(probe_read(EMPTY_WINDOW) == NOT_PRESENT, "an empty table is empty");
    check(probe_write(boot_info->free_end - LARGE) == PROBE_NO_FAULT, "large pages can be written");
}

/* One instruction before the call the registers hold numbers; one behind it they are looked at. */
static void snapshot_with_registers(bool avx)
{
#define MOVE(instruction, a, b, n) instruction " " a #n b "\n"
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD_YMM(n) "vmovdqa " #n "*32(%0), %%ymm" #n "\n"
#define SAVE_YMM(n) "vmovdqa %%ymm" #n ", " #n "*32(%1)\n"
#define LOAD_XMM(n) "movdqa " #n "*32(%0), %%xmm" #n "\n"
#define SAVE_XMM(n) "movdqa %%xmm" #n ", " #n "*32(%1)\n"
    uint16_t port = SWIFTLET_CALL_PORT + SWIFTLET_CALL_SNAPSHOT;
    if (avx)
        __asm__ volatile(EACH(LOAD_YMM) "outl %%eax, %%dx\n" EACH(SAVE_YMM)
                         : : "r"(before), "r"(after), "d"(port) : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                           "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    else
        __asm__ volatile(EACH(LOAD_XMM) "outl %%eax, %%dx\n" EACH(SAVE_XMM)
                         : : "r"(before), "r"(after), "d"(port) : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                           "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void check_registers(bool avx)
{
    for (int i = 0; i < 16; i++)
        check(memcmp(before[i], after[i], avx ? 32 : 16) == 0, "every vector register is as it was");
}

/* Other numbers in all of them, for the next life to find if they were left. */
static void fill_registers(bool avx)
{
    memset(after, 0xa5, sizeof after);
    if (avx)
        __asm__ volatile(EACH(LOAD_YMM) : : "r"(after) : "memory");
    else
        __asm__ volatile(EACH(LOAD_XMM) : : "r"(after) : "memory");
}

/* The other way round, all writable, and a page under another entry of the root. */
static void spoil_mappings(bool commits)
{
    for (uint64_t i = 0; i < PAGES; i++)
        mmu_map(WINDOW + i * PAGE_SIZE, pages + i * PAGE_SIZE, PAGE_SIZE, MMU_WRITE);
    mmu_map(FAR_WINDOW, pages, PAGE_SIZE, MMU_WRITE);
    if (commits)
        mmu_commit();
    for (uint64_t i = 0; i < PAGES; i += commits ? 1 : 3)
        *word(WINDOW + i * PAGE_SIZE) = 0xbad;
    *word(FAR_WINDOW) = 0xbad;
}

/* No more than a table that the snapshot has as zeros, and without a commit: nothing was mapped there before. */
static void spoil_empty_table(void)
{
    mmu_map(EMPTY_WINDOW, pages, PAGE_SIZE, MMU_WRITE);
    *word(EMPTY_WINDOW) = 0xbad;
}

static void spoil_root(void)
{
    mmu_switch_root(mmu_copy_root());
    spoil_mappings(true);
}

/* A large page is split, and a part of it protected. */
static void spoil_large(void)
{
    mmu_protect(boot_info->free_end - LARGE, PAGE_SIZE, MMU_READ);
    mmu_commit();
    check(probe_write(boot_info->free_end - LARGE) == NOT_WRITABLE, "a part of a large page is read-only");
}

static void spoil_memory(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        memset((void *)(zeros + i * PAGE_SIZE), 0xee, PAGE_SIZE);
    for (uint64_t i = 0; i < PAGES; i++)
        *word(pages + i * PAGE_SIZE) = 0xbad;
}

static void give_back(void)
{
    call_reclaim((void *)pages, PAGES / 2 * PAGE_SIZE);
    check(*word(pages) == 0, "what was given back is zero");
    *word(pages) = 0xbad;
}

static void shut_down(void)
{
    mmu_unmap(0x2000, PAGE_SIZE); /* docs/ABI.md: the IDT */
    mmu_commit();
    __asm__ volatile("ud2");
}

/* A port that nobody owns, an exit for each byte. */
static void write_string(void)
{
    const char *text = "a string";
    uint64_t count = 64;
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(count) : "d"((uint16_t)0x99) : "memory");
}

static void spoil(char what, bool avx)
{
    switch (what) {
    case 'm': spoil_mappings(true); break;
    case 'n': spoil_mappings(false); break;
    case 'p': spoil_empty_table(); break;
    case 'r': spoil_root(); break;
    case 'l': spoil_large(); break;
    case 'f': spoil_memory(8); break;
    case 'a': spoil_memory(ZERO_PAGES); break;
    case 'g': give_back(); break;
    case 'v': fill_registers(avx); break;
    case 'h': exception_handle(TIMER_VECTOR, 0); break;
    case 't': call_timer(clock_now() + SECONDS, TIMER_VECTOR); break;
    case 'z': call_handler(VECTOR_PAGE_FAULT, 0); *word(0) = 1; break;
    case 'd': shut_down(); break;
    case 'o': write_string(); break;
    case 'e': call_exit(7); break;
    case 's': for (;;) { } break;
    case 'w': for (;;) print("more and more and more\n"); break;
    default: break;
    }
}

int main(const struct swiftlet_boot_info *boot)
{
    bool avx = boot->features.leaf1_ecx & AVX;
    pages = (uint64_t)allocate(PAGES * PAGE_SIZE);
    zeros = (uint64_t)allocate(ZERO_PAGES * PAGE_SIZE);
    exception_handle(TIMER_VECTOR, on_timer);
    prepare();
    uint64_t saved = clock_now();
    snapshot_with_registers(avx);
    uint64_t now = clock_now();
    check_registers(avx);
    check(now >= saved && now < saved + 3600 * SECONDS, "the clock goes on from where it was");
    check(fired == 0, "no timer fires that was not set");
    check_memory();
    check_mappings();
    call_timer(clock_now(), TIMER_VECTOR);
    while (fired == 0)
        sleep_until(clock_now() + MILLISECONDS);
    print("clone %u, generation %u, entropy %lx\n", call_page()->clone, call_page()->generation,
          *(const uint64_t *)call_page()->entropy);
    char what;
    while (console_read(&what, 1) > 0)
        spoil(what, avx);
    return 0;
}
