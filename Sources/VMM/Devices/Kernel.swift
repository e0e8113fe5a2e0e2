// What a machine has when its guest is a kernel for the bare CPU: the image for its symbols, interrupt lines, the keyboard's
// thread.
//
// Its devices' state is not here but in the run loop: it is the vCPU thread's alone, and needs no lock (KernelPorts.swift).
// Read next: ../../swiftlet/RunOptions+Kernels.swift.

import Boot
import Host
import KVM
import Synchronization

package final class Kernel: Sendable {
    let plan: KernelPlan
    let image: KernelImage
    /// Keeps the image's descriptor open.
    private let file: File
    /// Nil without interrupt controllers: then HLT is an exit.
    let lines: InterruptLines?
    let input: SerialInput
    /// What is sent by the serial port can wait in a ring; nil on a KVM that has none.
    let coalesced: CoalescedPort?
    /// Accesses to ports and addresses that nobody owns.
    let strangers = Atomic<UInt64>(0)

    init(
        _ plan: KernelPlan, _ source: consuming KernelFile, _ lines: InterruptLines?, _ input: SerialInput,
        _ coalesced: CoalescedPort?
    ) {
        (self.plan, image, self.lines, self.input) = (plan, source.image, lines, input)
        self.coalesced = coalesced
        file = source.file
    }

    /// "start+0x13", for reports.
    func place(_ address: UInt64) -> String {
        image.symbol(at: address).map { guestText(Array($0.description.utf8)) } ?? "no symbol there"
    }
}

extension Machine {
    /// For `--stats`: how often the kernel looked for what is not there. Nothing when the guest is none.
    var strangerText: String {
        strangers.map { "swiftlet: \($0) accesses to ports and addresses that nobody owns\n" } ?? ""
    }

    var strangerFields: String { strangers.map { ",\"strangers\":\($0)" } ?? "" }

    private var strangers: UInt64? { platform.kernel?.strangers.load(ordering: .relaxed) }
}
