/*
 * The twin's run loop: enter the guest, handle the exit, until there is a reason to stop.
 *
 * As Sources/VMM/RunLoop.swift and PortBus.swift. Read next: calls.c.
 */
#include "twin.h"

#include <errno.h>
#include <sys/ioctl.h>

static enum action handle(struct machine *machine)
{
    const struct kvm_run *run = machine->run;
    if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT)
        return crash(machine, "exit reason");
    uint16_t number = (uint16_t)(run->io.port - SWIFTLET_CALL_PORT);
    if ((uint16_t)(number - SWIFTLET_CALL_EXIT) < 32 && run->io.size == 4 && run->io.count == 1)
        return handle_call(machine, number);
    if (run->io.port < 256 && run->s.regs.regs.rip - STUBS < PAGE)
        return crash(machine, "exception");
    return crash(machine, "port");
}

/* Toggles CR4.PGE, or loads the new root: both have every KVM forget what it knew of the page tables. */
static void commit_page_tables(struct machine *machine)
{
    struct kvm_sregs sregs;
    machine->run->immediate_exit = 1;
    ioctl(machine->vcpu, KVM_RUN, 0);
    machine->run->immediate_exit = 0;
    check(ioctl(machine->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    sregs.cr4 ^= CR4_GLOBAL_PAGES;
    check(ioctl(machine->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    sregs.cr4 ^= CR4_GLOBAL_PAGES;
    if (machine->pending_root)
        sregs.cr3 = machine->pending_root;
    check(ioctl(machine->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

/* CR2, which the guest cannot read. */
static void answer_fault_address(struct machine *machine)
{
    struct kvm_sregs sregs;
    check(ioctl(machine->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    *(struct swiftlet_fault_address *)guest(machine, CALL_PAGE, sizeof(struct swiftlet_fault_address)) =
        (struct swiftlet_fault_address){sregs.cr2};
}

/* Injects the timer's interrupt when it is due and the guest's mask allows it. */
static void inject_interrupt(struct machine *machine)
{
    if (machine->timer_deadline == SWIFTLET_NO_DEADLINE || remaining(&machine->clock, machine->timer_deadline) > 0)
        return;
    uint32_t *mask = interrupt_word(machine, SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED);
    uint32_t *pending = interrupt_word(machine, SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING);
    if (__atomic_load_n(mask, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(pending, 1, __ATOMIC_RELEASE);
        return;
    }
    __atomic_store_n(mask, 1, __ATOMIC_RELEASE);
    __atomic_store_n(pending, 0, __ATOMIC_RELEASE);
    machine->timer_deadline = SWIFTLET_NO_DEADLINE;
    struct kvm_interrupt interrupt = {.irq = machine->timer_vector};
    ioctl(machine->vcpu, KVM_INTERRUPT, &interrupt);
}

int run_loop(struct machine *machine)
{
    for (;;) {
        if (ioctl(machine->vcpu, KVM_RUN, 0) == 0) {
            switch (handle(machine)) {
            case RESUME: break;
            case COMMIT: commit_page_tables(machine); break;
            case READ_FAULT_ADDRESS: answer_fault_address(machine); break;
            case STOP: return machine->status;
            }
            if (machine->timer_deadline == SWIFTLET_NO_DEADLINE)
                continue;
        } else if (errno == EINTR) {
            machine->run->immediate_exit = 0;
            if (stop_signal(machine))
                return 128 + machine->stop_signal;
        } else if (errno != EAGAIN) {
            fail("KVM_RUN");
        }
        inject_interrupt(machine);
    }
}
