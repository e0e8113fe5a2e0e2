/*
 * <linux/kvm.h> for Swift: the structs import as they are; what does not import is made visible here.
 *
 * ioctl() is variadic and the request numbers are macros with sizeof in them, neither of which Swift sees, so each
 * request gets a static inline function returning its result or -errno. They inline into Swift: the exit loop calls
 * ioctl@plt directly. Read next: Sources/KVM/VCPU.swift.
 */
#ifndef CKVM_H
#define CKVM_H

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

/* exit_reason is unsigned: these constants are too, so that a switch needs no conversion. */
enum : unsigned int {
    CKVM_EXIT_IO = KVM_EXIT_IO,
    CKVM_EXIT_MMIO = KVM_EXIT_MMIO,
    CKVM_EXIT_HLT = KVM_EXIT_HLT,
    CKVM_EXIT_DEBUG = KVM_EXIT_DEBUG,
    CKVM_EXIT_INTR = KVM_EXIT_INTR,
    CKVM_EXIT_SHUTDOWN = KVM_EXIT_SHUTDOWN,
    CKVM_EXIT_FAIL_ENTRY = KVM_EXIT_FAIL_ENTRY,
    CKVM_EXIT_INTERNAL_ERROR = KVM_EXIT_INTERNAL_ERROR,
    CKVM_EXIT_XEN = KVM_EXIT_XEN,
    CKVM_EXIT_X86_RDMSR = KVM_EXIT_X86_RDMSR,
    CKVM_EXIT_X86_WRMSR = KVM_EXIT_X86_WRMSR,
};

enum : unsigned char {
    CKVM_EXIT_IO_IN = KVM_EXIT_IO_IN,
    CKVM_EXIT_IO_OUT = KVM_EXIT_IO_OUT,
};

/* The layout that Sources/KVM/Exit.swift relies on. */
_Static_assert(offsetof(struct kvm_run, immediate_exit) == 1, "written by the kick's signal handler");
_Static_assert(sizeof(struct kvm_regs) == 144, "general registers");

static inline long ckvm_result(int r) { return r < 0 ? -errno : r; }

/* /dev/kvm */
static inline long ckvm_get_api_version(int kvm) { return ckvm_result(ioctl(kvm, KVM_GET_API_VERSION, 0)); }
static inline long ckvm_create_vm(int kvm) { return ckvm_result(ioctl(kvm, KVM_CREATE_VM, 0)); }
static inline long ckvm_check_extension(int fd, int cap) { return ckvm_result(ioctl(fd, KVM_CHECK_EXTENSION, cap)); }
static inline long ckvm_get_vcpu_mmap_size(int kvm) { return ckvm_result(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)); }

/* a VM */
static inline long ckvm_set_user_memory_region(int vm, const struct kvm_userspace_memory_region *region)
{
    return ckvm_result(ioctl(vm, KVM_SET_USER_MEMORY_REGION, region));
}
static inline long ckvm_create_vcpu(int vm, int id) { return ckvm_result(ioctl(vm, KVM_CREATE_VCPU, id)); }
static inline long ckvm_enable_cap(int fd, unsigned cap, uint64_t argument)
{
    struct kvm_enable_cap request = {.cap = cap, .args = {argument}};
    return ckvm_result(ioctl(fd, KVM_ENABLE_CAP, &request));
}
static inline long ckvm_create_irqchip(int vm) { return ckvm_result(ioctl(vm, KVM_CREATE_IRQCHIP, 0)); }
static inline long ckvm_eventfd(void) { return ckvm_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

static inline int ckvm_eventfd_signal(int fd) { return eventfd_write(fd, 1); }
static inline uint64_t ckvm_eventfd_take(int fd)
{
    eventfd_t value = 0;
    return eventfd_read(fd, &value) == 0 ? value : 0;
}

/* a vCPU */
static inline long ckvm_run(int vcpu) { return ioctl(vcpu, KVM_RUN, 0) == 0 ? 0 : -errno; }
static inline long ckvm_get_regs(int vcpu, struct kvm_regs *regs) { return ckvm_result(ioctl(vcpu, KVM_GET_REGS, regs)); }
static inline long ckvm_set_regs(int vcpu, const struct kvm_regs *regs) { return ckvm_result(ioctl(vcpu, KVM_SET_REGS, regs)); }
static inline long ckvm_get_sregs(int vcpu, struct kvm_sregs *sregs) { return ckvm_result(ioctl(vcpu, KVM_GET_SREGS, sregs)); }
static inline long ckvm_set_sregs(int vcpu, const struct kvm_sregs *sregs)
{
    return ckvm_result(ioctl(vcpu, KVM_SET_SREGS, sregs));
}
static inline long ckvm_get_fpu(int vcpu, struct kvm_fpu *fpu) { return ckvm_result(ioctl(vcpu, KVM_GET_FPU, fpu)); }
static inline long ckvm_get_tsc_khz(int vcpu) { return ckvm_result(ioctl(vcpu, KVM_GET_TSC_KHZ, 0)); }
static inline long ckvm_get_stats_fd(int fd) { return ckvm_result(ioctl(fd, KVM_GET_STATS_FD, 0)); }
static inline long ckvm_set_tsc_offset(int vcpu, uint64_t offset)
{
    struct kvm_device_attr request = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)(uintptr_t)&offset};
    return ckvm_result(ioctl(vcpu, KVM_SET_DEVICE_ATTR, &request));
}
static inline long ckvm_interrupt(int vcpu, unsigned vector)
{
    struct kvm_interrupt request = {.irq = vector};
    return ckvm_result(ioctl(vcpu, KVM_INTERRUPT, &request));
}
static inline long ckvm_set_xcr0(int vcpu, uint64_t value)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1};
    xcrs.xcrs[0].value = value;
    return ckvm_result(ioctl(vcpu, KVM_SET_XCRS, &xcrs));
}

/* Structs that end in a flexible array do not import: here they have a fixed size. */
struct ckvm_msr {
    uint32_t count; /* kvm_msrs.nmsrs */
    uint32_t padding;
    struct kvm_msr_entry entry;
};
_Static_assert(offsetof(struct ckvm_msr, entry) == sizeof(struct kvm_msrs), "kvm_msrs with one entry");
static inline long ckvm_get_msr(int vcpu, unsigned index, uint64_t *value)
{
    struct ckvm_msr request = {.count = 1, .entry = {.index = index}};
    long read = ckvm_result(ioctl(vcpu, KVM_GET_MSRS, &request));
    if (read == 1)
        *value = request.entry.data;
    return read == 1 ? 0 : read < 0 ? read : -EINVAL;
}
static inline long ckvm_set_msr(int vcpu, unsigned index, uint64_t value)
{
    struct ckvm_msr request = {.count = 1, .entry = {.index = index, .data = value}};
    long written = ckvm_result(ioctl(vcpu, KVM_SET_MSRS, &request));
    return written == 1 ? 0 : written < 0 ? written : -EINVAL;
}

#define CKVM_CPUID_MAX 100
struct ckvm_cpuid {
    uint32_t count;
    uint32_t padding;
    struct kvm_cpuid_entry2 entries[CKVM_CPUID_MAX];
};
_Static_assert(offsetof(struct ckvm_cpuid, entries) == sizeof(struct kvm_cpuid2), "kvm_cpuid2 with room");
static inline long ckvm_get_supported_cpuid(int kvm, struct ckvm_cpuid *cpuid)
{
    cpuid->count = CKVM_CPUID_MAX;
    return ckvm_result(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
}
static inline long ckvm_set_cpuid2(int vcpu, const struct ckvm_cpuid *cpuid)
{
    return ckvm_result(ioctl(vcpu, KVM_SET_CPUID2, cpuid));
}
static inline struct kvm_cpuid_entry2 *ckvm_cpuid_entries(struct ckvm_cpuid *cpuid) { return cpuid->entries; }

#endif
