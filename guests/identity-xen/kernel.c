/*
 * identity-xen: Xen's leaves, and each hypercall that Swiftlet answers: version, memory, console, processor, channels with their
 * bits and their interrupt, parameters, and the end (xen/include/public). Started by PVH, as Xen starts kernels.
 */
#include "identity.h"

void kernel(void);

enum { MEMORY = 12, VERSION = 17, CONSOLE = 18, PROCESSOR = 24, SCHEDULER = 29, CHANNELS = 32, HVM = 34 };
#define SELF 0x7ff0
#define VECTOR 0x30

static __attribute__((aligned(4096))) uint8_t stubs[4096];
/* struct shared_info of 32 bits (xen.h). */
static __attribute__((aligned(4096))) volatile struct {
    struct {
        uint8_t pending, mask, pad[2];
        uint32_t selector, arch[6];
        struct clock time;
    } cpu[32];
    uint32_t pending[32], mask[32], version, seconds, nanoseconds;
    uint8_t rest[4096 - 2048 - 268];
} shared;
static __attribute__((aligned(64))) volatile uint32_t own_info[16];

static int32_t hypercall(uint32_t number, uint32_t first, uint32_t second, uint32_t third)
{
    int32_t result;
    __asm__ volatile("call *%%eax" : "=a"(result), "+b"(first), "+c"(second), "+d"(third) : "a"(stubs + 32 * number) : "memory");
    return result;
}

static int32_t call(uint32_t number, uint32_t command, void *argument)
{
    return hypercall(number, command, (uint32_t)argument, 0);
}

static int starts_with(const char *text, const char *start)
{
    while (*start)
        if (*text++ != *start++)
            return 0;
    return 1;
}

static void ask_version(void)
{
    char text[1024];
    uint32_t features[2] = {0, 0};
    check("version 4", call(VERSION, 0, 0) >> 16 == 4 && cpuid(0x40000001).eax >> 16 == 4);
    check("what it is besides", call(VERSION, 1, text) == 0 && starts_with(text, ".0-"));
    check("what it can run", call(VERSION, 3, text) == 0 && starts_with(text, "hvm-3.0-x86_32"));
    check("page numbers are the machine's", call(VERSION, 6, features) == 0 && (features[1] & 1 << 2));
    check("pages of 4 KiB", call(VERSION, 7, 0) == 4096);
    check("no other question", call(VERSION, 77, 0) == -38 && call(100, 0, 0) == -38);
    check("nor an answer to nowhere", call(VERSION, 3, (void *)0xf0000000) == -14);
}

static void share_page(void)
{
    struct {
        uint16_t domain, size;
        uint32_t space, index, page;
    } place = {SELF, 0, 0, 0, (uint32_t)&shared >> 12};
    uint16_t self = SELF;
    uint8_t lines[10 * 20];
    uint32_t map[2] = {10, (uint32_t)lines};
    check("how many pages", call(MEMORY, 3, &self) == 64 << 8);
    check("a map of them", call(MEMORY, 9, map) == 0 && map[0] == 3 && *(uint32_t *)(lines + 40) == 1 << 20);
    check("a page to share", call(MEMORY, 7, &place) == 0);
    place.page = 0xfffff;
    check("not one that is no memory", call(MEMORY, 7, &place) == -22);
    check("the time has a scale", shared.cpu[0].time.multiplier && clock_goes((const struct clock *)&shared.cpu[0].time, 1000));
    check("the day is after 2024", shared.seconds > 1704067200 && shared.nanoseconds < 1000000000);
}

static uint32_t open_to_itself(void)
{
    struct {
        uint32_t cpu, port;
    } own = {0, 0};
    check("a channel to itself", call(CHANNELS, 7, &own) == 0 && own.port > 0 && own.port < 32);
    return own.port;
}

static void use_channels(void)
{
    uint32_t port = open_to_itself();
    check("it is masked", call(CHANNELS, 4, &port) == 0 && shared.pending[0] == 1u << port && !shared.cpu[0].pending);
    check("and told when it is not", call(CHANNELS, 9, &port) == 0 && shared.cpu[0].pending && shared.cpu[0].selector == 1);

    struct {
        uint16_t domain, remote;
        uint32_t port;
    } unbound = {SELF, SELF, 0};
    check("a channel that waits", call(CHANNELS, 6, &unbound) == 0);
    struct {
        uint16_t domain, pad;
        uint32_t remote, local;
    } pair = {SELF, 0, unbound.port, 0};
    check("its other end", call(CHANNELS, 0, &pair) == 0 && pair.local != pair.remote);
    check("one end reaches the other", call(CHANNELS, 4, &pair.local) == 0 && (shared.pending[0] & 1u << unbound.port));
    struct {
        uint16_t domain, pad;
        uint32_t port, status, cpu, remote, peer;
    } status = {.domain = SELF, .port = pair.local};
    check("its status", call(CHANNELS, 5, &status) == 0 && status.status == 2 && status.peer == unbound.port);
    check("closed", call(CHANNELS, 3, &pair.local) == 0 && call(CHANNELS, 4, &pair.local) == -22);
    uint32_t line[3] = {0, 0, 0};
    check("a virtual interrupt, once", call(CHANNELS, 1, line) == 0 && line[2] > 0 && call(CHANNELS, 1, line) == -17);
}

static const uint64_t descriptors[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
static struct gate {
    uint16_t low, selector, type, high;
} gates[VECTOR + 1];
struct __attribute__((packed)) table {
    uint16_t limit;
    const void *base;
};
static volatile uint32_t upcalls;

/* A KVM that emulates ring 0 knows no IRET in 32-bit mode, and flags need not be kept where the interrupt comes in a loop. */
__asm__("on_upcall: incl upcalls\nmovl $0, 0xfee000b0\nlret $4\n");
void on_upcall(void);

static void take_upcall(void)
{
    struct table gdt = {sizeof descriptors - 1, descriptors}, idt = {sizeof gates - 1, gates};
    uint32_t handler = (uint32_t)on_upcall, port = open_to_itself();
    gates[VECTOR] = (struct gate){handler, 8, 0x8e00, handler >> 16};
    __asm__ volatile("lgdt %0\nlidt %1\nljmp $8, $1f\n1:" ::"m"(gdt), "m"(idt));
    __asm__ volatile("mov %0, %%ds\nmov %0, %%es\nmov %0, %%ss" ::"r"(16));
    *(volatile uint32_t *)0xfee000f0 = 0x1ff; /* the local APIC is on */
    struct {
        uint32_t cpu;
        uint8_t vector, pad[3];
    } upcall = {0, VECTOR, {0}};
    shared.mask[0] = 0;
    shared.cpu[0].pending = 0;
    check("an interrupt for them", call(HVM, 23, &upcall) == 0);
    check("an event is one", call(CHANNELS, 4, &port) == 0 && shared.cpu[0].pending);
    if (!upcalls) /* the instruction behind STI is still without interrupts */
        __asm__ volatile("sti\nhlt\ncli" ::: "memory");
    check("and it comes", upcalls == 1);
}

void kernel(void)
{
    struct leaf pages = cpuid(0x40000002);
    check("a hypervisor", has_hypervisor());
    check("Xen's name", is_named("XenVMMXenVMM") && cpuid(0x40000000).eax == 0x40000004);
    check("a page of hypercalls", pages.eax == 1 && pages.ebx);
    if (failures)
        done(); /* nobody is there */
    write_msr(pages.ebx, (uint32_t)stubs);
    check("which has code", stubs[0] == 0xb8 && stubs[33] == 1);
    ask_version();
    share_page();
    use_channels();
    take_upcall();
    struct {
        uint64_t page;
        uint32_t offset, pad;
    } info = {(uint32_t)own_info >> 12, (uint32_t)own_info & 0xfff, 0};
    check("a processor's part elsewhere", hypercall(PROCESSOR, 10, 0, (uint32_t)&info) == 0 && own_info[14]);
    check("once", hypercall(PROCESSOR, 10, 0, (uint32_t)&info) == -22 && hypercall(PROCESSOR, 10, 1, (uint32_t)&info) == -2);
    struct {
        uint16_t domain, pad;
        uint32_t index;
        uint64_t value;
    } parameter = {SELF, 0, 1, 7};
    check("a parameter", call(HVM, 1, &parameter) == 0 && parameter.value == 0);
    check("yields", call(SCHEDULER, 0, 0) == 0);
    hypercall(CONSOLE, 0, 26, (uint32_t)"ok  by the call's console\n");
    uint32_t reason = failures ? 3 : 0;
    call(SCHEDULER, 2, &reason);
    end(4);
}
