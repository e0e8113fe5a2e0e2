// What a machine has when its guest is an hvt unikernel: the memory it may name, and its devices.
//
// Every address of a unikernel passes one gate here, the one rule of the stock tender: it must lie below the end of
// memory, and what begins there must end below it too. Read next: HvtCalls.swift.

import Boot
import Deprivileged
import GuestMemory
import Synchronization

package final class Hvt: Sendable {
    package let guest: HvtGuest
    let ring: Ring
    /// Pages that are read-only on our side too: a result may not go there.
    private let readOnly: [Range<UInt64>]
    /// What the unikernel left when it halted.
    let halt = Mutex<HvtHalt?>(nil)

    init(_ guest: HvtGuest, _ ring: Ring = .zero) {
        self.guest = guest
        self.ring = ring
        readOnly = guest.readOnlyPages
    }

    /// The end of what the unikernel may name.
    var end: UInt64 { guest.ring.lowerBound }

    /// Whether it may have that many bytes read.
    func allows(_ address: UInt64, _ count: UInt64) -> Bool {
        address < end && count < end - address
    }

    /// Whether it may have them written: not into its own code.
    func allowsWriting(_ address: UInt64, _ count: UInt64) -> Bool {
        guard allows(address, count) else { return false }
        return !readOnly.contains { address < $0.upperBound && address + count > $0.lowerBound }
    }
}

/// How a unikernel halted.
struct HvtHalt {
    let status: Int32
    /// After a trap: cr2, error code, rip, cs, rflags, rsp, ss.
    let trap: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)?
}

extension HvtGuest {
    /// Of segments that are not writable: W^X for a guest whose own tables have no such thing.
    var readOnlyPages: [Range<UInt64>] {
        segments.filter { $0.fileSize > 0 && !$0.flags.contains(.writable) }.map(\.pages)
    }
}
