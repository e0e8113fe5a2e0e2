/*
 * A small kernel's descriptor tables: GDT, TSS with one IST stack, IDT with a handler for every vector.
 *
 * The handler writes down what it was given, and returns to `resume`. Read next: main.c.
 */
#ifndef TABLES_H
#define TABLES_H

#include <stdint.h>

#define CODE 0x08
#define DATA 0x10
#define TASK 0x18

struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};

/* The last two are code and data of ring 3. */
static uint64_t gdt[14] = {0, 0x00af9a000000ffff, 0x00cf92000000ffff, [12] = 0x00affa000000ffff, 0x00cff2000000ffff};
static uint64_t idt[512];
static struct __attribute__((packed)) {
    uint32_t reserved;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, bitmap;
} tss;
static uint8_t exception_stack[4096] __attribute__((aligned(16)));

/* What the last exception brought. */
struct frame {
    uint64_t vector, code, rip, cs, rflags, rsp, ss, cr2;
};
struct frame last;
uint64_t resume, resume_rsp;

/* Entry n, 16 bytes: an error code of 0 where the CPU pushes none, and the vector. */
__asm__(".section .text\n"
        ".balign 16\n"
        "entries:\n"
        ".set vector, 0\n"
        ".rept 256\n"
        "    .balign 16\n"
        "    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21\n"
        "        pushq $0\n"
        "    .endif\n"
        "    pushq $vector\n"
        "    jmp handler\n"
        "    .set vector, vector + 1\n"
        ".endr\n"
        "handler:\n"
        "    pushq %rax\n"
        "    movq 8(%rsp), %rax; movq %rax, last(%rip)\n"
        "    movq 16(%rsp), %rax; movq %rax, last+8(%rip)\n"
        "    movq 24(%rsp), %rax; movq %rax, last+16(%rip)\n"
        "    movq 32(%rsp), %rax; movq %rax, last+24(%rip)\n"
        "    movq 40(%rsp), %rax; movq %rax, last+32(%rip)\n"
        "    movq 48(%rsp), %rax; movq %rax, last+40(%rip)\n"
        "    movq 56(%rsp), %rax; movq %rax, last+48(%rip)\n"
        "    movq %cr2, %rax; movq %rax, last+56(%rip)\n"
        "    movq resume(%rip), %rax; movq %rax, 24(%rsp)\n"
        "    movq resume_rsp(%rip), %rax; movq %rax, 48(%rsp)\n"
        "    popq %rax\n"
        "    addq $16, %rsp\n"
        "    iretq\n");
extern char entries[];

static void install_tables(void)
{
    uint64_t task = (uint64_t)&tss;
    gdt[3] = (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56 | 0x890000000000 | (sizeof tss - 1);
    gdt[4] = task >> 32;
    tss.ist[0] = (uint64_t)exception_stack + sizeof exception_stack;
    tss.bitmap = sizeof tss;
    for (uint64_t vector = 0; vector < 256; vector++) {
        uint64_t handler = (uint64_t)entries + 16 * vector;
        idt[2 * vector] = (handler & 0xffff) | CODE << 16 | 1ull << 32 | 0x8e0000000000 | (handler >> 16 & 0xffff) << 48;
        idt[2 * vector + 1] = handler >> 32;
    }
    struct table_register gdtr = {sizeof gdt - 1, (uint64_t)gdt}, idtr = {sizeof idt - 1, (uint64_t)idt};
    __asm__ volatile("lgdt %0\n"
                     "pushq %2; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:\n"
                     "movl %3, %%eax; movl %%eax, %%ds; movl %%eax, %%es; movl %%eax, %%ss\n"
                     "lidt %1\n"
                     "movl %4, %%eax; ltr %%ax\n"
                     : : "m"(gdtr), "m"(idtr), "i"(CODE), "i"(DATA), "i"(TASK) : "rax", "memory");
    /* And once more by a far jump through memory. */
    struct __attribute__((packed)) {
        uint32_t offset;
        uint16_t selector;
    } far;
    far.selector = CODE;
    __asm__ volatile("leaq 1f(%%rip), %%rax; movl %%eax, %0; ljmp *%0; 1:" : "+m"(far) : : "rax", "memory");
}

#endif
