/*
 * Exits that need not happen or that KVM would keep, and interrupts from elsewhere: ioeventfd, coalesced writes, an MSR filter, irqfd.
 *
 * Rings' and virtio's doorbells are ioeventfds, virtio's interrupts are irqfds, kernels' console output is coalesced, and Hyper-V's and
 * Xen's registers and calls leave to user space. Read next: Sources/KVM/Doorbells.swift.
 */
#ifndef CKVM_EVENTS_H
#define CKVM_EVENTS_H

#include "ckvm.h"

enum : unsigned int { CKVM_IOEVENTFD_PIO = KVM_IOEVENTFD_FLAG_PIO };

static inline long ckvm_ioeventfd(int vm, const struct kvm_ioeventfd *request)
{
    return ckvm_result(ioctl(vm, KVM_IOEVENTFD, request));
}
static inline long ckvm_irqfd(int vm, int event, unsigned gsi)
{
    struct kvm_irqfd request = {.fd = event, .gsi = gsi};
    return ckvm_result(ioctl(vm, KVM_IRQFD, &request));
}
static inline long ckvm_coalesce(int vm, uint64_t address, unsigned size, unsigned is_port)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = address, .size = size, .pio = is_port};
    return ckvm_result(ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone));
}
static inline long ckvm_stop_coalescing(int vm, uint64_t address, unsigned size, unsigned is_port)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = address, .size = size, .pio = is_port};
    return ckvm_result(ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone));
}
/* Reads and writes of up to 512 MSRs leave to user space: a filter's bitmap denies them, and outside of it all is allowed. */
static inline long ckvm_filter_msrs(int vm, unsigned first, unsigned count)
{
    uint8_t denied[64] = {0};
    struct kvm_msr_filter filter = {
        .ranges = {{KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE, count < 512 ? count : 512, first, denied}}};
    return ckvm_result(ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
}

/* A message-signalled interrupt, at once. */
static inline long ckvm_signal_msi(int vm, uint32_t address, uint32_t data)
{
    struct kvm_msi message = {.address_lo = address, .data = data};
    return ckvm_result(ioctl(vm, KVM_SIGNAL_MSI, &message));
}

/* VMCALL and VMMCALL leave to user space as Xen's hypercalls, where this KVM can that. */
static inline long ckvm_intercept_xen(int vm, unsigned msr)
{
    struct kvm_xen_hvm_config config = {.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL, .msr = msr};
    return ckvm_result(ioctl(vm, KVM_XEN_HVM_CONFIG, &config));
}

struct ckvm_routing {
    uint32_t count; /* kvm_irq_routing.nr */
    uint32_t flags;
    struct kvm_irq_routing_entry entry;
};
_Static_assert(offsetof(struct ckvm_routing, entry) == sizeof(struct kvm_irq_routing), "kvm_irq_routing with one entry");
static inline long ckvm_route_msi(int vm, unsigned gsi, uint64_t address, unsigned data)
{
    struct ckvm_routing routing = {.count = 1, .entry = {.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI}};
    routing.entry.u.msi.address_lo = (uint32_t)address;
    routing.entry.u.msi.address_hi = address >> 32;
    routing.entry.u.msi.data = data;
    return ckvm_result(ioctl(vm, KVM_SET_GSI_ROUTING, &routing));
}

/* Empties the ring of coalesced writes, some pages behind kvm_run; how many there were (KVM API, section 4.116). */
static inline unsigned ckvm_take_coalesced(struct kvm_run *run, long pages)
{
    struct kvm_coalesced_mmio_ring *ring = (void *)((char *)run + pages * 4096);
    unsigned capacity = (4096 - sizeof *ring) / sizeof(struct kvm_coalesced_mmio);
    unsigned last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
    unsigned taken = (last + capacity - ring->first) % capacity;
    __atomic_store_n(&ring->first, last, __ATOMIC_RELEASE);
    return taken;
}

/* Takes the first of them: its first byte, or -1 when there is none. */
static inline int ckvm_take_coalesced_byte(struct kvm_run *run, long pages)
{
    struct kvm_coalesced_mmio_ring *ring = (void *)((char *)run + pages * 4096);
    unsigned capacity = (4096 - sizeof *ring) / sizeof(struct kvm_coalesced_mmio);
    unsigned first = ring->first % capacity;
    if (first == __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
        return -1;
    int byte = ring->coalesced_mmio[first].data[0];
    __atomic_store_n(&ring->first, (first + 1) % capacity, __ATOMIC_RELEASE);
    return byte;
}

#endif
