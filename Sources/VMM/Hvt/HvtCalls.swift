// The calls of Solo5's hvt: a 4-byte OUT to port 0x500 + n, whose value is the address of the call's struct.
//
// Structs and result codes are those of Solo5's hvt_abi.h. Arguments are copied out, checked, then used; a call that
// breaks the contract ends the machine, as it does in the stock tender. Read next: HvtBlock.swift, HvtNet.swift.

import CABI
import Glibc
import GuestMemory
import Host

/// Numbers of the calls.
enum HvtCall: UInt16 {
    case walltime = 1
    case puts, poll, blockWrite, blockRead, netWrite, netRead, halt

    static let port: UInt16 = 0x500
}

extension Platform {
    /// For reports on exits.
    func hvtCall(_ port: UInt16, _ size: UInt8, _ count: UInt32) -> (number: UInt64, name: String)? {
        guard hvt != nil, size == 4, count == 1, let call = HvtCall(rawValue: port &- HvtCall.port) else { return nil }
        return (UInt64(call.rawValue), "hvt \(call)")
    }
}

extension VCPUContext {
    mutating func hvtCall(_ call: HvtCall, _ address: UInt64, _ hvt: Hvt) -> Action {
        switch call {
        case .walltime: hvtWallTime(address, hvt)
        case .puts: hvtPuts(address, hvt)
        case .poll: hvtPoll(address, hvt)
        // There only where such a device is.
        case .blockWrite, .blockRead:
            hvt.hasDisks ? hvtBlock(address, hvt, writes: call == .blockWrite) : hvtInvalid(call.rawValue)
        case .netWrite, .netRead:
            hvt.nets.isEmpty ? hvtInvalid(call.rawValue) : hvtNet(address, hvt, sends: call == .netWrite)
        case .halt: hvtHalt(address, hvt)
        }
    }

    mutating func hvtInvalid(_ number: UInt16) -> Action {
        misuse("Invalid guest hypercall: num=\(number)")
    }

    /// In the stock tender's words, for whoever looks for them.
    mutating func invalidAccess(_ address: UInt64, _ count: UInt64) -> Action {
        misuse(invalidAccessWords(address, count))
    }

    /// A call's struct; nil when it does not lie in memory, or a result could not be written to it.
    func hvtArguments<T: BitwiseCopyable>(_ address: UInt64, _ hvt: Hvt, _ type: T.Type, written: Bool = true) -> T? {
        let size = UInt64(MemoryLayout<T>.size)
        guard written ? hvt.allowsWriting(address, size) : hvt.allows(address, size) else { return nil }
        return platform.memory.read(GuestAddress(address), as: T.self)
    }

    func hvtAnswer<T: BitwiseCopyable>(_ value: T, _ address: UInt64) {
        platform.memory.write(value, at: GuestAddress(address))
    }

    private mutating func hvtWallTime(_ address: UInt64, _ hvt: Hvt) -> Action {
        guard hvt.allowsWriting(address, 8) else { return invalidAccess(address, 8) }
        let now = Clock.realtime()
        hvtAnswer(UInt64(bitPattern: now.seconds) &* 1_000_000_000 &+ now.nanoseconds, address)
        return .resume
    }

    private mutating func hvtPuts(_ address: UInt64, _ hvt: Hvt) -> Action {
        guard let call = hvtArguments(address, hvt, HvtPuts.self, written: false) else {
            return invalidAccess(address, 16)
        }
        guard hvt.allows(call.data, call.length) else { return invalidAccess(call.data, call.length) }
        let result = writeAll(call.length, to: platform.console) { done in
            platform.memory.withSpan(GuestAddress(call.data + done), call.length - done) { platform.console.write($0) }
                ?? .gone
        }
        if let stop = result.stop { return end(stop) }
        return .resume
    }

    private mutating func hvtHalt(_ address: UInt64, _ hvt: Hvt) -> Action {
        guard let call = hvtArguments(address, hvt, HvtHaltCall.self, written: false) else {
            return invalidAccess(address, 16)
        }
        let cookieSize: UInt64 = 512  // HVT_HALT_COOKIE_MAX
        if call.cookie != 0, !hvt.allows(call.cookie, cookieSize) { return invalidAccess(call.cookie, cookieSize) }
        let trap =
            call.cookie == 0
            ? nil
            : platform.memory.read(
                GuestAddress(call.cookie), as: HvtHalt.Trap.self)
        hvt.halt.withLock { $0 = HvtHalt(status: call.status, trap: trap) }
        // As exit(3) has it.
        return end(.exited(status: UInt8(truncatingIfNeeded: call.status)))
    }
}

extension VCPUContext.WriteEnd {
    /// Nil when all is written. What was before a stop does not count: nobody makes the call again.
    var stop: Stop? {
        switch self {
        case .done: nil
        case .stopped(let stop, _): stop
        case .gone: .consoleGone
        case .failed(let errno): .hostFailed("the console", errno: errno)
        }
    }
}

func invalidAccessWords(_ address: UInt64, _ count: UInt64) -> String {
    "Invalid guest access: gpa=\(hex(address)), sz=\(count)"
}

/// struct hvt_hc_puts
struct HvtPuts: BitwiseCopyable {
    var data: UInt64
    var length: UInt64
}

/// struct hvt_hc_halt
struct HvtHaltCall: BitwiseCopyable {
    var cookie: UInt64
    var status: Int32
    var padding: Int32
}

/// solo5_result_t
enum HvtResult {
    static let ok: Int32 = 0
    static let again: Int32 = 1
    static let invalid: Int32 = 2
    static let unspecified: Int32 = 3
}
