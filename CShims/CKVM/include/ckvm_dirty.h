/*
 * Which pages a guest has written: the dirty bitmap of a slot and the dirty ring of a vCPU; and pages mapped in advance.
 *
 * A machine uses the bitmap where increments of it are saved, else none of it; `swiftlet bench memory` measures it. Read next: Sources/KVM/DirtyLog.swift.
 */
#ifndef CKVM_DIRTY_H
#define CKVM_DIRTY_H

#include "ckvm.h"

static inline long ckvm_get_dirty_log(int vm, unsigned slot, uint64_t *bitmap)
{
    struct kvm_dirty_log request = {.slot = slot, .dirty_bitmap = bitmap};
    return ckvm_result(ioctl(vm, KVM_GET_DIRTY_LOG, &request));
}
static inline long ckvm_clear_dirty_log(int vm, unsigned slot, unsigned pages, const uint64_t *bitmap)
{
    struct kvm_clear_dirty_log request = {.slot = slot, .num_pages = pages, .dirty_bitmap = (void *)(uintptr_t)bitmap};
    return ckvm_result(ioctl(vm, KVM_CLEAR_DIRTY_LOG, &request));
}
static inline long ckvm_reset_dirty_rings(int vm) { return ckvm_result(ioctl(vm, KVM_RESET_DIRTY_RINGS, 0)); }

/* A page's number in its slot, or -1 when the entry is not the kernel's to give (KVM API, 8.29). */
static inline long ckvm_harvest(struct kvm_dirty_gfn *entry)
{
    if (__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
        return -1;
    long page = (long)entry->offset;
    __atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
    return page;
}

/* Newer than the headers of Linux 6.1: KVM API, 4.143. */
struct ckvm_pre_fault {
    uint64_t gpa, size, flags, padding[5];
};
_Static_assert(sizeof(struct ckvm_pre_fault) == 64, "part of the request's number");
/* What is left to do, in bytes. */
static inline long ckvm_pre_fault(int vcpu, uint64_t address, uint64_t size)
{
    struct ckvm_pre_fault request = {.gpa = address, .size = size};
    long result = ckvm_result(ioctl(vcpu, _IOWR(KVMIO, 0xd5, struct ckvm_pre_fault), &request));
    return result < 0 ? result : (long)request.size;
}

#endif
