// What an entry asks for, checked and done: the only place where an entry's fields are used.
//
// A device that is not there, a buffer that is not memory, an operation of another device: an answer, never a trap.
// Read next: RingCrank.swift.

import CABI
import Devices
import GuestMemory
import Host

/// What a ring reaches: a device's number is its place in the list.
public enum RingDevice: Sendable {
    case none
    case block(BlockDevice)
    case net(NetDevice)
    case console(Console)
}

/// What came of an attempt.
public enum RingOutcome: Sendable {
    case answer(RingAnswer)
    /// It is done, and the guest does not want to know how.
    case unanswered
    /// Its answer comes later, out of order.
    case underWay
    /// Nothing was moved: when the descriptor is ready, try again, and what is behind it only then.
    case waits(WaitFor)
    /// The same, but what is behind it goes on.
    case waitsAside(WaitFor)
    /// A signal came first: look for a stop, then try again.
    case interrupted
    case ends(RingFailure)
}

/// How a ring came to its end before the machine did.
public enum RingFailure: Equatable, Sendable {
    /// The guest's indices cannot be true.
    case broken
    /// An entry that ends its machine.
    case misuse(String)
    /// Nobody reads the console any more.
    case consoleGone
    /// What was being done at which device, and why it failed.
    case deviceFailed(String, errno: Int32)
}

extension RingEntry {
    /// Does what the entry asks for, as far as it can be done now. Of a console write that is cut short, the rest stays
    /// in the entry.
    public mutating func perform(on devices: [RingDevice], _ memory: borrowing GuestMemory) -> RingOutcome {
        guard device < UInt32(devices.count) else { return .answer(.bad) }
        switch (devices[Int(device)], operation) {
        case (.block(let disk), SWIFTLET_BLOCK_READ...SWIFTLET_BLOCK_DISCARD):
            return outcome(perform(on: disk, memory))
        case (.net(let net), SWIFTLET_NET_SEND):
            return outcome(memory.withSpan(address, UInt64(length)) { net.send($0) }, WaitFor(net.fd, write: true))
        case (.net(let net), SWIFTLET_NET_RECEIVE): return receive(net, memory)
        case (.console(let console), SWIFTLET_CONSOLE_WRITE): return write(console, memory)
        default: return .answer(.bad)
        }
    }

    /// At most a piece of it; `.interrupted` while a rest remains, which is then all that the entry asks for.
    mutating func perform(on disk: BlockDevice, _ memory: borrowing GuestMemory) -> BlockResult? {
        var done: UInt64 = 0
        let result = disk.perform(operation, memory, address, UInt64(length), at: offset, done: &done)
        advance(UInt32(done))
        return result
    }

    private func receive(_ net: NetDevice, _ memory: borrowing GuestMemory) -> RingOutcome {
        guard UInt64(length) >= net.largestFrame else { return .answer(.bad) }
        let result = memory.withMutableSpan(address, UInt64(length)) { net.receive(into: &$0) }
        return result == .notReady ? .waitsAside(WaitFor(net.fd)) : outcome(result, WaitFor(net.fd))
    }

    /// As much as one system call takes: a reader may take gigabytes a little at a time.
    private mutating func write(_ console: Console, _ memory: borrowing GuestMemory) -> RingOutcome {
        if length == 0 { return .answer(.done) }
        switch memory.withSpan(address, UInt64(length), { console.write($0) }) {
        case nil: return .answer(.bad)
        case .done(let written)?:
            advance(UInt32(written))
            return length == 0 ? .answer(.done) : .interrupted
        case .notReady?: return .waits(WaitFor(console.output, write: true))
        case .interrupted?: return .interrupted
        case .gone?: return .ends(.consoleGone)
        case .failed?: return .answer(RingAnswer(SWIFTLET_IO_ERROR))
        }
    }

    private func outcome(_ result: BlockResult?) -> RingOutcome {
        guard let result else { return .answer(.bad) }
        return result == .interrupted ? .interrupted : .answer(RingAnswer(result.code))
    }

    private func outcome(_ result: FrameResult?, _ wait: WaitFor) -> RingOutcome {
        switch result {
        case nil: .answer(.bad)
        case .done(let bytes)?: .answer(RingAnswer(0, length: UInt32(bytes)))
        case .notReady?: .waits(wait)
        case .interrupted?: .interrupted
        case let failed?: .answer(RingAnswer(failed.failure ?? SWIFTLET_IO_ERROR))
        }
    }
}

extension BlockDevice {
    /// One operation, SWIFTLET_BLOCK_READ to SWIFTLET_BLOCK_DISCARD, of an entry or of a call; nil when the buffer is not
    /// memory. Of a read or a write it does a piece, from byte `done` on, and moves that: `.interrupted` while there is more.
    public func perform(
        _ operation: Int32, _ memory: borrowing GuestMemory, _ buffer: GuestAddress, _ length: UInt64,
        at offset: UInt64, done: inout UInt64
    ) -> BlockResult? {
        switch operation {
        case SWIFTLET_BLOCK_FLUSH: return flush()
        case SWIFTLET_BLOCK_DISCARD: return discard(at: offset, length)
        default: break
        }
        guard memory.contains(buffer, length) else { return nil }
        guard contains(offset, length) else { return .outOfRange }
        let (from, place) = (GuestAddress(buffer.rawValue + done), offset + done)
        let count = min(length - done, UInt64(Self.piece))
        let result =
            operation == SWIFTLET_BLOCK_READ
            ? memory.withMutableSpan(from, count) { read(into: &$0, at: place) }
            : memory.withSpan(from, count) { write($0, at: place) }
        guard result == .done else { return result }
        done += count
        return done == length ? .done : .interrupted
    }
}
