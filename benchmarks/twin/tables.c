/*
 * The twin's descriptor and page tables.
 *
 * As Sources/X86/Descriptors.swift and PageTables.swift. Read next: loop.c.
 */
#include "twin.h"

#include <string.h>

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

void write_machine_tables(uint8_t *memory)
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

uint64_t build_page_tables(struct machine *machine)
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
