// What all vCPUs of a machine share: memory, console, clock, layout, and the way to stop.
//
// It knows nothing of KVM, so that tests and fuzzers can feed invented exits to a vCPU's context without a VM.
// Read next: VCPUContext.swift.

import Boot
import GuestMemory
import Host

package final class Platform: Sendable {
    package let memory: GuestMemory
    package let layout: Layout
    let console: Console
    /// Where the guest's log lines go.
    let errors = Console(input: -1, output: 2)
    package let clock: MachineClock
    package let control: StopControl
    let quiet: Bool
    /// Whether the guest's snapshot call leads to one.
    let takesSnapshots: Bool

    package init(
        memory: consuming GuestMemory, layout: Layout, console: Console, clock: MachineClock, control: StopControl,
        quiet: Bool, takesSnapshots: Bool = false
    ) {
        self.memory = memory
        self.layout = layout
        self.console = console
        self.clock = clock
        self.control = control
        self.quiet = quiet
        self.takesSnapshots = takesSnapshots
    }
}
