// What a machine has when its guest is an hvt unikernel: the memory it may name, and its devices.
//
// Every address of a unikernel passes one gate here, the one rule of the stock tender: it must lie below the end of
// memory, and what begins there must end below it too. Read next: HvtCalls.swift.

import Boot
import Devices
import GuestMemory
import KVM
import Synchronization

package final class Hvt: Sendable {
    package let guest: HvtGuest
    /// By handle.
    private let devices: [Device?]
    /// The interfaces that a poll waits for.
    let nets: [(handle: Int, fd: Int32)]
    /// As the configuration has it.
    let program: String
    /// Where the rest of memory goes that its CPU has not been shown yet.
    let slots: MemorySlots?
    /// What the unikernel left when it halted.
    let halt = Mutex<HvtHalt?>(nil)

    package init(
        _ guest: HvtGuest, devices: [Device?] = [], program: String = "swiftlet", slots: MemorySlots? = nil
    ) {
        (self.program, self.slots) = (program, slots)
        self.guest = guest
        self.devices = devices
        var nets: [(handle: Int, fd: Int32)] = []
        for handle in devices.indices { if let net = devices[handle]?.net { nets.append((handle, net.fd)) } }
        self.nets = nets
    }

    /// The end of what the unikernel may name.
    private var end: UInt64 { guest.ring.lowerBound }

    /// Whether it may have that many bytes read.
    func allows(_ address: UInt64, _ count: UInt64) -> Bool { address < end && count < end - address }

    /// Whether it may have them written: not into its own code.
    func allowsWriting(_ address: UInt64, _ count: UInt64) -> Bool {
        allows(address, count) && !isConstant(address, count)
    }

    /// Whether any of them is code or a constant.
    func isConstant(_ address: UInt64, _ count: UInt64) -> Bool {
        for segment in guest.segments where segment.isConstant {
            if address < segment.pages.upperBound && address &+ count > segment.pages.lowerBound { return true }
        }
        return false
    }

    var hasDisks: Bool { devices.contains { $0?.block != nil } }

    var disks: [BlockDevice] { devices.compactMap { $0?.block } }

    func device(_ handle: UInt64) -> Device? { handle < UInt64(devices.count) ? devices[Int(handle)] : nil }
}

/// How a unikernel halted.
struct HvtHalt {
    /// After a trap: cr2, error code, rip, cs, rflags, rsp, ss.
    typealias Trap = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    let status: Int32
    let trap: Trap?
}

extension ELFSegment {
    /// Not writable, and so not to be written by us either: W^X for a guest whose own tables have no such thing.
    var isConstant: Bool { fileSize > 0 && !flags.contains(.writable) }
}
