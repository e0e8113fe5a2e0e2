/*
 * smp-hello: starts all other processors by INIT and SIPI, as the manuals have it (Intel SDM vol. 3A, 9.4.4), and has all of
 * them count together with a lock prefix.
 *
 * Words of its command line say more: a number is how many processors there are; "x2apic": the messages go by MSR instead of by
 * memory; "crash": processor 1 ends in a triple fault; "spin": the others never stop; "halt": all halt for good;
 * "direct": each gets messages of its own, and no local APIC's register is written before;
 * "again": processor 0 sends an INIT to itself, which is a reset;
 * "nmi": the others get an NMI before they are started, which they hold back;
 * "talk": each sends 3,000 letters by the serial port, one alphabet after the other, processor 0 small ones.
 */
#include "kernel.h"
#include "smp.h"

#define APIC 0xfee00000
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_DESTINATION 0x310
#define ALL_OTHERS 0xc0000u
#define INIT_OTHERS 0xc4500 /* all but self, assert, INIT */
#define NMI_OTHERS 0xc4400
#define START_OTHERS (0xc4600 | TRAMPOLINE >> 12)
#define APIC_BASE_MSR 0x1b
#define X2APIC_COMMAND_MSR 0x830
#define TURNS 1000

struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device;
    const char *command_line;
};

extern const uint8_t trampoline[], trampoline_end[];
uint8_t processor_stacks[PROCESSORS_MAX][STACK_SIZE];
volatile uint32_t processors_begun;

static volatile uint32_t counter, finished, numbers[2], crashes, spins, talks;

void kernel(uint32_t magic, const struct information *information);
void processor(void);

static uint32_t number_of_this(void)
{
    uint32_t eax = 1, ebx, ecx, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return ebx >> 24;
}

static void talk(char first)
{
    for (int sent = 0; sent < 3000; sent++)
        out8(SERIAL, (uint8_t)(first + sent % 26));
}

static void count(void)
{
    uint32_t number = number_of_this();
    for (int turn = 0; turn < TURNS; turn++)
        __asm__ volatile("lock incl %0" : "+m"(counter));
    __asm__ volatile("lock orl %1, %0" : "+m"(numbers[number / 32 % 2]) : "r"(1u << number % 32));
    if (talks)
        talk(number == 0 ? 'a' : 'A');
    __asm__ volatile("lock incl %0" : "+m"(finished));
}

void processor(void)
{
    count();
    if (crashes && number_of_this() == 1)
        __asm__ volatile("lidt %0; ud2" : : "m"(*(const uint8_t(*)[6]) "\0\0\0\0\0\0"));
    while (spins)
        __asm__ volatile("pause");
}

static void send(int has_x2apic, uint32_t command)
{
    if (has_x2apic) {
        __asm__ volatile("wrmsr" : : "a"(command), "d"(0), "c"(X2APIC_COMMAND_MSR));
    } else {
        *(volatile uint32_t *)(APIC + APIC_DESTINATION) = 0;
        *(volatile uint32_t *)(APIC + APIC_COMMAND) = command;
    }
}

static void send_to(uint32_t number, uint32_t command)
{
    *(volatile uint32_t *)(APIC + APIC_DESTINATION) = number << 24;
    *(volatile uint32_t *)(APIC + APIC_COMMAND) = command & ~ALL_OTHERS;
}

static void start_each(uint32_t processors)
{
    for (uint32_t number = 1; number < processors; number++) {
        send_to(number, INIT_OTHERS);
        send_to(number, START_OTHERS);
    }
}

static void write_trampoline(void)
{
    for (uint32_t at = 0; at < (uint32_t)(trampoline_end - trampoline); at++)
        ((volatile uint8_t *)TRAMPOLINE)[at] = trampoline[at];
}

static void start_others(int has_x2apic)
{
    *(volatile uint32_t *)(APIC + APIC_SPURIOUS) = 0x1ff;
    if (has_x2apic) {
        uint32_t low, high;
        __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(APIC_BASE_MSR));
        __asm__ volatile("wrmsr" : : "a"(low | 1 << 10), "d"(high), "c"(APIC_BASE_MSR));
    }
    send(has_x2apic, INIT_OTHERS);
    send(has_x2apic, START_OTHERS);
    send(has_x2apic, START_OTHERS);
}

static int has_word(const char *line, const char *word)
{
    for (; *line; line++) {
        const char *l = line, *w = word;
        while (*w && *l == *w)
            l++, w++;
        if (!*w)
            return 1;
    }
    return 0;
}

/* The last number of the line. */
static uint32_t number_in(const char *line)
{
    uint32_t number = 1;
    for (char before = ' '; *line; before = *line++)
        if (*line >= '0' && *line <= '9')
            number = (before >= '0' && before <= '9' ? number * 10 : 0) + (uint32_t)(*line - '0');
    return number;
}

void kernel(uint32_t magic, const struct information *information)
{
    const char *line = information->command_line;
    while (*line && *line != ' ')
        line++;
    if (magic != 0x2badb002)
        end(2);
    uint32_t processors = number_in(line);
    crashes = (uint32_t)has_word(line, "crash");
    spins = (uint32_t)has_word(line, "spin");
    talks = (uint32_t)has_word(line, "talk");
    write_trampoline();
    if (has_word(line, "nmi")) {
        *(volatile uint32_t *)(APIC + APIC_SPURIOUS) = 0x1ff;
        send(0, NMI_OTHERS);
        for (int turn = 0; turn < 100000; turn++)
            __asm__ volatile("pause");
    }
    if (has_word(line, "again"))
        send_to(0, INIT_OTHERS);
    if (has_word(line, "direct"))
        start_each(processors);
    else
        start_others(has_word(line, "x2apic"));
    count();
    while (finished < processors)
        __asm__ volatile("pause");
    print("processors: ");
    for (uint32_t number = 0; number < PROCESSORS_MAX; number++)
        if (numbers[number / 32] >> number % 32 & 1) {
            print_number(number);
            print(" ");
        }
    print("\ncounted to ");
    print_number(counter);
    print("\n");
    while (crashes)
        __asm__ volatile("pause");
    if (has_word(line, "halt"))
        return;
    end(counter == processors * TURNS ? 0 : 1);
}
