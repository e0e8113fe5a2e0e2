/*
 * The twin's boot protocol: memory, descriptor tables, page tables, boot info, byte for byte as Swiftlet fills them.
 *
 * As Sources/Boot/Layout.swift, RingThree.swift and BootInfo.swift, Sources/X86/Descriptors.swift and PageTables.swift,
 * Sources/GuestMemory/GuestMemory.swift. Read next: calls.c.
 */
#include "twin.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sysinfo.h>

void layout_plan(struct layout *layout, const struct image *image)
{
    struct range pages = image->pages;
    layout->stack.start = pages.end + PAGE; /* behind a guard page */
    layout->stack.end = layout->stack.start + STACK_SIZE;
    uint64_t split = (pages.end - pages.start) / HUGE_PAGE + 7;
    uint64_t tables = 2 + ((MEMORY_SIZE + (1ul << 30) - 1) >> 30) + (MEMORY_SIZE >> 39) + split;
    layout->tables = (struct range){layout->stack.end, layout->stack.end + tables * PAGE};
    layout->free = (struct range){layout->tables.end, MEMORY_SIZE};
    if (layout->tables.end > MEMORY_SIZE) {
        errno = ENOMEM;
        fail("image");
    }
}

/* Lazily backed and aligned to 2 MiB. */
uint8_t *memory_reserve(void)
{
    struct sysinfo info;
    if (sysinfo(&info) != 0 || info.totalram * info.mem_unit < MEMORY_SIZE)
        fail("memory");
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint8_t *start = mmap(NULL, MEMORY_SIZE + HUGE_PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    uint64_t misaligned = (uint64_t)start & (HUGE_PAGE - 1), before = misaligned ? HUGE_PAGE - misaligned : 0;
    if (before > 0)
        munmap(start, before);
    munmap(start + before + MEMORY_SIZE, HUGE_PAGE - before);
    madvise(start + before + HUGE_PAGE, MEMORY_SIZE - HUGE_PAGE, MADV_HUGEPAGE);
    return start + before;
}

static void put(uint8_t *memory, uint64_t address, uint64_t value) { memcpy(memory + address, &value, sizeof value); }

/* A trap gate to ring-3 code. */
void gate_write(uint8_t *memory, unsigned vector, uint64_t handler, uint64_t stack)
{
    uint64_t privilege = vector == 3 || vector == 4 ? 3 : 0;
    put(memory, IDT + vector * 16,
        (handler & 0xffff) | (uint64_t)USER_CODE << 16 | stack << 32 | (0x8f | privilege << 5) << 40
            | (handler >> 16 & 0xffff) << 48);
    put(memory, IDT + vector * 16 + 8, handler >> 32);
}

static void write_machine_tables(uint8_t *memory)
{
    const uint64_t gdt[10] = {
        [USER_DATA >> 3] = 0x00cff3000000ffff,
        [USER_CODE >> 3] = 0x00affb000000ffff,
        [TASK >> 3] = (TSS_LIMIT & 0xffff) | TSS << 16 | 0x8bul << 40 | (uint64_t)(TSS_LIMIT >> 16 & 0xf) << 48,
    };
    memcpy(memory + GDT, gdt, sizeof gdt);
    for (unsigned vector = 0; vector < 256; vector++) {
        gate_write(memory, vector, STUBS + vector * 16, 1);
        put(memory, STUBS + vector * 16, 0xe7 | vector << 8 | 0xfcebul << 16); /* out %eax, $vector; jmp back */
    }
    put(memory, TSS + 36, REPORT_STACK_TOP);
    put(memory, TSS + 96, 104ul << 48); /* where the I/O bitmap starts; it is all zero, then a byte of ones */
    put(memory, TSS + 104 + 8192, 0xff);
}

/* The next free page for a table; the root is the first. */
static uint64_t next_table;

static uint64_t *entry_of(struct machine *machine, uint64_t root, uint64_t address, int level)
{
    uint64_t table = root;
    for (int upper = 4; upper > level; upper--) {
        uint64_t *entry = guest(machine, table + (address >> (upper * 9 + 3) & 0x1ff) * 8, 8);
        if (!(*entry & PRESENT)) {
            if (next_table == machine->layout.tables.end)
                fail("page tables");
            *(uint64_t *)guest(machine, next_table, 8) = 0; /* a write before the first read: one page fault, not two */
            *entry = next_table | PRESENT | WRITABLE | USER;
            next_table += PAGE;
        }
        table = *entry & 0x000ffffffffff000;
    }
    return guest(machine, table + (address >> (level * 9 + 3) & 0x1ff) * 8, 8);
}

static void map_identity(struct machine *machine, uint64_t root, uint64_t start, uint64_t end, uint64_t flags)
{
    while (start < end) {
        bool huge = start % HUGE_PAGE == 0 && end - start >= HUGE_PAGE;
        uint64_t *entry = entry_of(machine, root, start, huge ? 2 : 1), size = huge ? HUGE_PAGE : PAGE;
        do { /* the entries that follow in the same table */
            *entry++ = start | flags | (huge ? HUGE : 0);
            start += size;
        } while ((uint64_t)entry % PAGE != 0 && end - start >= size);
    }
}

static uint64_t build_page_tables(struct machine *machine)
{
    uint64_t root = machine->layout.tables.start, next = MEMORY_START;
    next_table = root + PAGE;
    *(uint64_t *)guest(machine, root, 8) = 0;
    map_identity(machine, root, GDT, STUBS, SUPERVISOR);
    map_identity(machine, root, STUBS, MACHINE_END, CODE);
    for (int i = 0; i < machine->image.count; i++) {
        struct range pages = machine->image.segments[i].pages;
        map_identity(machine, root, next, pages.start, DATA);
        map_identity(machine, root, pages.start, pages.end, machine->image.segments[i].flags);
        next = pages.end;
    }
    map_identity(machine, root, machine->layout.stack.start, MEMORY_SIZE, DATA);
    return root;
}

static uint32_t write_memory_map(struct machine *machine)
{
    struct swiftlet_memory_range *map = guest(machine, MEMORY_MAP, 0x800);
    const struct layout *layout = &machine->layout;
    struct range image = machine->image.pages;
    const struct {
        uint64_t start, end;
        uint32_t type;
    } all[] = {
        {GDT, MACHINE_END, SWIFTLET_MEMORY_MACHINE},
        {MEMORY_START, VCPU_AREA, SWIFTLET_MEMORY_BOOT_INFO},
        {VCPU_AREA, IMAGE_START, SWIFTLET_MEMORY_VCPU},
        {IMAGE_START, image.start, SWIFTLET_MEMORY_FREE},
        {image.start, image.end, SWIFTLET_MEMORY_IMAGE},
        {layout->stack.start, layout->stack.end, SWIFTLET_MEMORY_STACK},
        {layout->tables.start, layout->tables.end, SWIFTLET_MEMORY_PAGE_TABLES},
        {layout->free.start, layout->free.end, SWIFTLET_MEMORY_FREE},
    };
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].start < all[i].end)
            map[count++] = (struct swiftlet_memory_range){all[i].start, all[i].end - all[i].start, all[i].type, 0};
    return count;
}

/* The guest's arguments, joined by spaces. */
static uint64_t write_command_line(struct machine *machine, char **arguments)
{
    uint8_t *line = guest(machine, COMMAND_LINE, COMMAND_LINE_CAPACITY);
    uint64_t used = 0;
    for (; *arguments; arguments++) {
        uint64_t length = strlen(*arguments);
        if (used + length + 2 > COMMAND_LINE_CAPACITY) {
            errno = E2BIG;
            fail("guest arguments");
        }
        if (used > 0)
            line[used++] = ' ';
        memcpy(line + used, *arguments, length);
        used += length;
    }
    return used;
}

static void write_boot_info(struct machine *machine, uint64_t root, const uint8_t seed[32], char **arguments)
{
    const struct layout *layout = &machine->layout;
    struct swiftlet_boot_info info = {
        .magic = SWIFTLET_BOOT_MAGIC,
        .size = sizeof info,
        .version = SWIFTLET_ABI_VERSION,
        .memory_size = MEMORY_SIZE,
        .memory_map = MEMORY_MAP,
        .memory_map_count = write_memory_map(machine),
        .vcpu_count = 1,
        .page_table_root = root,
        .call_page = CALL_PAGE,
        .command_line = COMMAND_LINE,
        .command_line_size = write_command_line(machine, arguments),
        .free_start = layout->free.start,
        .free_end = layout->free.end,
        .stack_bottom = layout->stack.start,
        .stack_top = layout->stack.end,
        .image_start = machine->image.pages.start,
        .image_end = machine->image.pages.end,
        .tsc_frequency = machine->clock.frequency,
        .features = machine->cpu.features,
    };
    memcpy(info.entropy_seed, seed, sizeof info.entropy_seed);
    memcpy(guest(machine, BOOT_INFO, sizeof info), &info, sizeof info);
}

struct start boot_install(struct machine *machine, char **arguments)
{
    uint8_t seed[32];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        fail("getrandom");
    image_load(&machine->image, machine->memory);
    write_machine_tables(machine->memory);
    uint64_t root = build_page_tables(machine);
    write_boot_info(machine, root, seed, arguments);
    struct swiftlet_call_page *page = guest(machine, CALL_PAGE, sizeof *page);
    page->clock = (struct swiftlet_clock){
        .version = 2,
        .tsc_timestamp = machine->clock.guest_start,
        .tsc_to_system_mul = machine->clock.multiplier,
        .tsc_shift = machine->clock.shift,
        .flags = SWIFTLET_CLOCK_STABLE,
    };
    return (struct start){machine->image.entry, machine->layout.stack.end - 8, BOOT_INFO, root};
}
