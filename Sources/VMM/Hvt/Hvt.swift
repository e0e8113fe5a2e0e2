// What a machine has when its guest is an hvt unikernel: the memory it may name, and its devices.
//
// Every address of a unikernel passes one gate here, the one rule of the stock tender: it must lie below the end of
// memory, and what begins there must end below it too. Read next: HvtCalls.swift.

import Boot
import Devices
import GuestMemory
import Synchronization

package final class Hvt: Sendable {
    package let guest: HvtGuest
    /// Pages that are read-only on our side too: a result may not go there.
    private let readOnly: [Range<UInt64>]
    /// By handle.
    private let devices: [Device?]
    /// The interfaces that a poll waits for.
    let nets: [(handle: Int, fd: Int32)]
    /// Nil without an interface.
    let ring: HvtRingThread?
    /// What the unikernel left when it halted.
    let halt = Mutex<HvtHalt?>(nil)

    package init(_ guest: HvtGuest, devices: [Device?] = [], ring: HvtRingThread? = nil) {
        self.ring = ring
        self.guest = guest
        self.devices = devices
        readOnly = guest.readOnlyPages
        nets = devices.enumerated().compactMap { handle, device in (device?.net?.fd).map { (handle, $0) } }
    }

    /// The end of what the unikernel may name.
    private var end: UInt64 { guest.ring.lowerBound }

    /// Whether it may have that many bytes read.
    func allows(_ address: UInt64, _ count: UInt64) -> Bool { address < end && count < end - address }

    /// Whether it may have them written: not into its own code.
    func allowsWriting(_ address: UInt64, _ count: UInt64) -> Bool {
        guard allows(address, count) else { return false }
        return !readOnly.contains { address < $0.upperBound && address + count > $0.lowerBound }
    }

    var hasDisks: Bool { devices.contains { $0?.block != nil } }

    func device(_ handle: UInt64) -> Device? { handle < UInt64(devices.count) ? devices[Int(handle)] : nil }
}

/// How a unikernel halted.
struct HvtHalt {
    /// After a trap: cr2, error code, rip, cs, rflags, rsp, ss.
    typealias Trap = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    let status: Int32
    let trap: Trap?
}

extension HvtGuest {
    /// Of segments that are not writable: W^X for a guest whose own tables have no such thing.
    var readOnlyPages: [Range<UInt64>] {
        segments.filter { $0.fileSize > 0 && !$0.flags.contains(.writable) }.map(\.pages)
    }
}
