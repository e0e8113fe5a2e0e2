/*
 * The twin's boot protocol: memory, its layout and boot info, byte for byte as Swiftlet fills them.
 *
 * As Sources/Boot/Layout.swift, RingThree.swift and BootInfo.swift, Sources/GuestMemory/GuestMemory.swift.
 * Read next: tables.c.
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

/* Lazily backed and aligned to 2 MiB, with nothing right before and behind it. */
uint8_t *memory_reserve(void)
{
    struct sysinfo info;
    if (sysinfo(&info) != 0 || info.totalram * info.mem_unit < MEMORY_SIZE)
        fail("memory");
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint8_t *start = mmap(NULL, MEMORY_SIZE + 2 * HUGE_PAGE, PROT_NONE, flags, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    uint8_t *memory = start + HUGE_PAGE - ((uint64_t)start & (HUGE_PAGE - 1));
    if (mprotect(memory, MEMORY_SIZE, PROT_READ | PROT_WRITE) != 0)
        fail("mprotect");
    madvise(memory + HUGE_PAGE, MEMORY_SIZE - HUGE_PAGE, MADV_HUGEPAGE);
    return memory;
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
        .flags = machine->clock.stable ? SWIFTLET_CLOCK_STABLE : 0,
    };
    page->address = CALL_PAGE;
    return (struct start){machine->image.entry, machine->layout.stack.end - 8, BOOT_INFO, root};
}
