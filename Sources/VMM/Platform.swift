// What all vCPUs of a machine share: memory, console, clock, layout, and the way to stop.
//
// It knows nothing of KVM, so that tests and fuzzers can feed invented exits to a vCPU's context without a VM.
// Read next: VCPUContext.swift.

import Boot
import GuestMemory
import Host

final class Platform: Sendable {
    let memory: GuestMemory
    let layout: Layout
    let console: Console
    /// Where the guest's log lines go.
    let errors = Console(input: -1, output: 2)
    let clock: MachineClock
    let control: StopControl
    let quiet: Bool

    init(
        memory: consuming GuestMemory, layout: Layout, console: Console, clock: MachineClock, control: StopControl,
        quiet: Bool
    ) {
        self.memory = memory
        self.layout = layout
        self.console = console
        self.clock = clock
        self.control = control
        self.quiet = quiet
    }
}
