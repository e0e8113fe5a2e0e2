// What an exit was about: its kind, and the port, address or call that it names. Statistics are kept for each of these.
//
// Read next: Histogram.swift.

/// Why the CPU left the guest, as far as statistics tell exits apart.
public enum ExitKind: String, Sendable {
    /// A port write that is a call of the guest's; the detail is the call's number.
    case call
    case portWrite = "port-write"
    case portRead = "port-read"
    case memoryWrite = "mmio-write"
    case memoryRead = "mmio-read"
    case registerRead = "msr-read"
    case registerWrite = "msr-write"
    case halt, shutdown, debug
    case internalError = "internal-error"
    case failEntry = "fail-entry"
    /// A signal took the vCPU out of the guest.
    case kick
    /// A further vCPU that waits for another to start it was started, or reset (KVM_RUN's EAGAIN).
    case wake
    /// KVM_RUN failed in another way; the detail is errno.
    case failed
    case other

    public var isPortAccess: Bool { self == .call || self == .portWrite || self == .portRead }

    /// What the detail is; nil for an exit without one.
    public var detailName: String? {
        switch self {
        case .call: "call"
        case .portWrite, .portRead: "port"
        case .memoryWrite, .memoryRead: "address"
        case .registerRead, .registerWrite: "msr"
        case .internalError: "suberror"
        case .failEntry, .other: "code"
        case .failed: "errno"
        case .halt, .shutdown, .debug, .kick, .wake: nil
        }
    }
}

/// A line of the statistics.
public struct ExitKey: Equatable, Sendable {
    public var kind: ExitKind
    /// Port, guest-physical address, call number, suberror, reason or errno, whichever the kind has; else 0.
    public var detail: UInt64

    public init(_ kind: ExitKind, _ detail: UInt64 = 0) {
        self.kind = kind
        self.detail = detail
    }

    /// Where everything is counted that no line is left for.
    public static let rest = ExitKey(.other, .max)
}

/// One exit, with its moments on one clock.
public struct ExitEvent: Sendable {
    public var key: ExitKey
    /// The call's name, or the kind.
    public var name: String
    /// Bytes that an access moves; 0 for other exits.
    public var size: UInt32
    /// What was written; nil for anything but a write.
    public var data: UInt64?
    /// A stub's OUT: what the exit is about is an exception, and RIP the instruction that it came at.
    public var isTrap = false
    /// KVM_RUN began, KVM_RUN returned; the exit's handling began (what lies between is the observer's), and ended.
    public var entered: UInt64 = 0
    public var left: UInt64 = 0
    public var began: UInt64 = 0
    public var handled: UInt64 = 0
    /// The vCPU's number; nil in a machine with one.
    public var vcpu: Int?

    public init(_ key: ExitKey, name: String? = nil, size: UInt32 = 0, data: UInt64? = nil) {
        self.key = key
        self.name = name ?? key.kind.rawValue
        self.size = size
        self.data = data
    }

    /// The same on another clock.
    func timed(_ clock: (UInt64) -> UInt64) -> ExitEvent {
        var event = self
        (event.entered, event.left) = (clock(entered), clock(left))
        (event.began, event.handled) = (clock(began), clock(handled))
        return event
    }
}
