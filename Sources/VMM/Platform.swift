// What all vCPUs of a machine share: memory, console, clock, layout, and the way to stop.
//
// It knows nothing of KVM, so that tests and fuzzers can feed invented exits to a vCPU's context without a VM.
// Read next: VCPUContext.swift.

import Backing
import Boot
import GuestMemory
import Host
import Synchronization

package final class Platform: Sendable {
    package let memory: GuestMemory
    /// What the memory is in when it is not anonymous.
    package let store: MemoryStore?
    /// Whether a file lies under parts of it, copy-on-write: a snapshot's, or an image's text.
    let isMapped: Bool
    /// Nil when it may not grow.
    package let growth: Growth?
    package let layout: Layout
    /// Of an hvt unikernel: its side of the machine.
    package let hvt: Hvt?
    /// Of a kernel for the bare CPU.
    package let kernel: Kernel?
    /// Of a machine with several vCPUs.
    package let processors: Processors?
    let console: Console
    /// Where the guest's log lines go.
    let errors = Console(input: -1, output: 2)
    /// Written between two lives of a clone only, while no vCPU runs.
    @safe @exclusivity(unchecked) package nonisolated(unsafe) var clock: MachineClock
    package let control: StopControl
    /// How often the guest gave memory back.
    package let reclaims = Atomic<UInt32>(0)
    let quiet: Bool
    /// Whether the guest's snapshot call leads to one.
    let takesSnapshots: Bool
    /// Nil in a machine that has none.
    package let devices: GuestDevices?

    package init(
        memory: consuming GuestMemory, layout: Layout, console: Console, clock: MachineClock, control: StopControl,
        quiet: Bool, takesSnapshots: Bool = false, isMapped: Bool = false, store: MemoryStore? = nil,
        growth: Growth? = nil, hvt: Hvt? = nil, kernel: Kernel? = nil, devices: GuestDevices? = nil,
        processors: Processors? = nil
    ) {
        self.memory = memory
        self.store = store
        self.isMapped = isMapped
        self.growth = growth
        (self.hvt, self.kernel) = (hvt, kernel)
        self.layout = layout
        self.console = console
        self.clock = clock
        self.control = control
        self.quiet = quiet
        self.takesSnapshots = takesSnapshots
        (self.devices, self.processors) = (devices, processors)
    }

    /// The end of a machine whose memory is in a file that lost pages.
    var memoryLost: Stop? { store?.lostPages(memory) == true ? .memoryLost : nil }
}
