// What all vCPUs of a machine share: memory, console, clock, layout, and the way to stop.
//
// It knows nothing of KVM, so that tests and fuzzers can feed invented exits to a vCPU's context without a VM.
// Read next: VCPUContext.swift.

import Backing
import Boot
import GuestMemory
import Host

final class Platform: Sendable {
    let memory: GuestMemory
    /// What the memory is in when it is not anonymous.
    let store: MemoryStore?
    /// Nil when it may not grow.
    let growth: Growth?
    let layout: Layout
    let console: Console
    /// Where the guest's log lines go.
    let errors = Console(input: -1, output: 2)
    let clock: MachineClock
    let control: StopControl
    let quiet: Bool

    init(
        memory: consuming GuestMemory, layout: Layout, console: Console, clock: MachineClock, control: StopControl,
        quiet: Bool, store: MemoryStore? = nil, growth: Growth? = nil
    ) {
        self.memory = memory
        self.store = store
        self.growth = growth
        self.layout = layout
        self.console = console
        self.clock = clock
        self.control = control
        self.quiet = quiet
    }

    /// The end of a machine whose memory is in a file that lost pages.
    var memoryLost: Stop? { store?.lostPages(memory) == true ? .memoryLost : nil }
}
