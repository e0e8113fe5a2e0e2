// What a machine has when its guest is a kernel for the bare CPU: the image for its symbols, interrupt lines, the keyboard's
// thread.
//
// Its devices go from hand to hand: the vCPU that handles an exit has them, and puts them back.
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
    let bus: VirtioBus
    /// The devices behind ports, while no vCPU handles an exit.
    let ports: Mutex<KernelPorts?>
    /// What is sent by the serial port can wait in a ring, the VM's; nil on a KVM that has none.
    let coalesced: CoalescedPort?
    /// Accesses to ports and addresses that nobody owns.
    let strangers = Atomic<UInt64>(0)

    init(
        _ plan: KernelPlan, _ source: consuming KernelFile, _ lines: InterruptLines?, _ input: SerialInput,
        _ bus: VirtioBus, _ ports: KernelPorts, _ coalesced: CoalescedPort?
    ) {
        (self.plan, image, self.lines, self.input, self.bus) = (plan, source.image, lines, input, bus)
        self.ports = Mutex(ports)
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
