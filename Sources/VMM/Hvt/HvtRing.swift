// hvt's network ring: what becomes of an entry. Its words and slots are those of Swiftlet's own rings, and so is its engine.
//
//   0 tail, 4 taken | 64 head, 68 completed, 72 needs_kick | 128 1024 submissions of 32 bytes | 32896 1024 completions of 16
//
// It differs in three things: what is sent has no answer, a receive is answered at once, and what no unikernel may name ends
// the machine. The layout is Solo5's hvt_ring.h. Read next: Rings/RingCrank.swift.

import Boot
import Devices
import Glibc
import GuestMemory
import Host
import Rings

/// Numbers of hvt_ring.h.
enum HvtRing {
    static let slots: UInt32 = 1024
    static let (write, read): (Int32, Int32) = (1, 2)

    /// Nil when there is no memory at its place.
    static func service(_ memory: borrowing GuestMemory, _ hvt: Hvt) -> RingService? {
        guard
            let queue = RingQueue(
                memory, at: GuestAddress(hvt.guest.ring.lowerBound), entries: slots, answersAll: false)
        else { return nil }
        return RingService(queue) { entry, memory in
            switch entry.operation {
            case write: entry.send(memory, hvt)
            case read: entry.receive(memory, hvt)
            default: .unanswered  // skipped, as the stock tender does
            }
        }
    }
}

extension RingEntry {
    fileprivate func send(_ memory: borrowing GuestMemory, _ hvt: Hvt) -> RingOutcome {
        guard let net = hvt.device(UInt64(device))?.net else { return .unanswered }
        guard hvt.allows(buffer, UInt64(length)) else { return invalidAccess }
        switch memory.withSpan(GuestAddress(buffer), UInt64(length), { net.send($0) }) {
        case .done?, .down?: return .unanswered  // with a cable that is pulled a frame is lost
        case .notReady?: return .waits(WaitFor(net.fd, write: true))
        case .interrupted?: return .interrupted
        case .malformed?, nil: return .ends(.misuse("Invalid frame in the guest's ring: \(length) bytes"))
        case .gone?: return .ends(.deviceFailed("writing to \(net.words)", errno: ENODEV))
        case .failed(let errno)?: return .ends(.deviceFailed("writing to \(net.words)", errno: errno))
        }
    }

    fileprivate func receive(_ memory: borrowing GuestMemory, _ hvt: Hvt) -> RingOutcome {
        guard let net = hvt.device(UInt64(device))?.net else { return .answer(RingAnswer(HvtResult.invalid)) }
        guard hvt.allowsWriting(buffer, UInt64(length)) else { return invalidAccess }
        switch memory.withMutableSpan(GuestAddress(buffer), UInt64(length), { net.receive(into: &$0) }) {
        case .done(let bytes)?: return .answer(RingAnswer(HvtResult.ok, length: UInt32(bytes)))
        case .notReady?, .interrupted?, .down?: return .answer(RingAnswer(HvtResult.again))
        case .malformed?, nil: return .answer(RingAnswer(HvtResult.invalid))
        case .gone?: return .ends(.deviceFailed("reading from \(net.words)", errno: ENODEV))
        case .failed(let errno)?: return .ends(.deviceFailed("reading from \(net.words)", errno: errno))
        }
    }

    private var invalidAccess: RingOutcome { .ends(.misuse(invalidAccessWords(buffer, UInt64(length)))) }
}

extension RunLoop {
    /// Runs the unikernel, with its ring's thread beside it if it has one; what it has sent before its halt is sent.
    mutating func runHvt(_ hvt: Hvt) -> Stop {
        let platform = context.platform
        // A run behind a pause finds it served.
        guard let devices = platform.devices, devices.rings.isEmpty, let ring = HvtRing.service(platform.memory, hvt)
        else {
            return loopHvt(hvt)
        }
        do throws(MachineError) { _ = try devices.serve(ring, for: platform) } catch {
            return .hostFailed("making a ring", errno: error.errno)
        }
        return loopHvt(hvt)
    }
}
