// A vCPU as the services see it: its call page, its timer, and what a call wants the run loop to do next.
//
// `handle` is the third stop on an exit's way (KVM_RUN -> Exit -> handle -> port bus -> service). It is a plain function
// of an exit, fed with invented ones by tests, fuzzers and benchmarks. Read next: PortBus.swift.

import CABI
import GuestMemory
import KVM
import X86

/// What the run loop does after an exit was handled.
enum Action {
    case resume
    /// The guest edited its page tables: make that seen, then resume. The new root is in `pendingRoot`.
    case commit
    /// The guest asks for CR2, which only the vCPU has.
    case readFaultAddress
    /// The stop is in `stop`, or its cause in `cause` when the guest did what no guest may do.
    case stop
}

package struct VCPUContext: ~Copyable {
    package let platform: Platform
    let index: Int
    /// The call page's struct, and its words that stand in for the interrupt flag.
    private let callArguments: GuestWindow<256>  // SWIFTLET_CALL_ARGUMENTS_SIZE
    let masked: GuestAtomic
    let pending: GuestAtomic
    package var timer = GuestTimer()
    /// Which vectors have a handler of the guest's.
    package var handled = VectorSet()
    /// The last interrupt that KVM was given.
    package var injected: UInt8 = 0
    /// Set by a call that returns `.commit`; 0 keeps the current root.
    var pendingRoot: UInt64 = 0
    /// Set by a call that returns `.stop`.
    var stop: Stop?
    var cause: Crash.Cause?
    /// Set by a call that a stop cut short: behind a pause it is made again.
    var isCallRepeated = false

    package init(_ platform: Platform, index: Int = 0) {
        self.platform = platform
        self.index = index
        let page = GuestAddress(AddressMap.callPage(vcpu: index))
        guard let window = GuestWindow<256>(platform.memory, page),
            let masked = GuestAtomic(platform.memory, page + UInt64(SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED)),
            let pending = GuestAtomic(platform.memory, page + UInt64(SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING))
        else { preconditionFailure("a call page lies in the first 256 KiB, which every machine has") }
        callArguments = window
        self.masked = masked
        self.pending = pending
    }

    /// Handles one exit. `rip` is the instruction pointer at the exit.
    @inline(__always)
    mutating func handle(_ exit: Exit, rip: UInt64) -> Action {
        switch exit {
        case .portWrite(let port, let size, let count, let value):
            return portWrite(port, size: size, count: count, value: value, rip: rip)
        default:
            return unexpected(exit)
        }
    }

    /// Every other exit is the end of a ring-3 guest.
    mutating func unexpected(_ exit: Exit) -> Action {
        switch exit {
        case .portWrite(let port, let size, _, let value): crash(.port(port, size: size, written: value))
        case .portRead(let port, let size, _): crash(.port(port, size: size, written: nil))
        case .mmioWrite(let address, let size, let value): crash(.memory(address, size: size, written: value))
        case .mmioRead(let address, let size): crash(.memory(address, size: size, written: nil))
        case .shutdown: crash(.tripleFault)
        case .internalError(let suberror): crash(.emulation(suberror: suberror))
        case .failEntry(let reason): crash(.invalidState(reason: reason))
        case .halt, .interrupted, .debug, .msrRead, .msrWrite, .other: crash(.unexpectedExit("\(exit)"))
        }
    }

    /// Stops the machine with a report.
    mutating func crash(_ cause: Crash.Cause) -> Action {
        self.cause = cause
        return .stop
    }

    /// Stops the machine because a call was misused. Out of line with its words, which the calls' own code stays free of.
    @inline(never)
    mutating func misuse(_ what: @autoclosure () -> String) -> Action { crash(.misuse(what())) }

    mutating func end(_ stop: Stop) -> Action {
        self.stop = stop
        return .stop
    }

    /// Copies the arguments of a call out of the call page, once.
    func arguments<T: BitwiseCopyable>(_ type: T.Type) -> T { callArguments.read() }

    /// Puts a call's struct back with its results.
    func answer<T: BitwiseCopyable>(_ value: T) { callArguments.write(value) }
}

/// A set of vectors: 256 bits.
package struct VectorSet {
    package var words: [4 of UInt64] = InlineArray(repeating: 0)

    subscript(vector: Int) -> Bool {
        @inline(__always) get { words[vector >> 6 & 3] >> UInt64(vector & 63) & 1 != 0 }
        @inline(__always) set {
            let bit: UInt64 = 1 << UInt64(vector & 63)
            if newValue { words[vector >> 6 & 3] |= bit } else { words[vector >> 6 & 3] &= ~bit }
        }
    }
}
