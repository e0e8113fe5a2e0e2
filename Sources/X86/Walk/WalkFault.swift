// Why an access faults: which bit of which entry forbids it, in words.
//
// Intel SDM vol. 3A, 4.6 (access rights) and 4.7 (page faults and their error code). Read next: EntryText.swift.

/// An access to memory.
public struct Access: Equatable, Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable { case read, write, execute }

    public var kind: Kind
    /// From ring 3; else a supervisor's.
    public var isUser: Bool

    public init(_ kind: Kind, isUser: Bool) { (self.kind, self.isUser) = (kind, isUser) }
}

/// What forbids an access.
public struct WalkFault: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case notCanonical = "not-canonical"
        case above4GiB = "above-4-gib"
        /// The table that an entry, or CR3, names lies where no memory is.
        case noMemory = "no-memory"
        case notPresent = "not-present"
        case reserved = "reserved-bit"
        case readOnly = "read-only"
        case supervisorOnly = "supervisor-only"
        case noExecute = "no-execute"
        /// Supervisor code would execute, or touch, what user code can reach (SMEP, SMAP).
        case userCode = "user-code"
        case userData = "user-data"
    }

    public let kind: Kind
    /// The index of the step whose entry is to blame.
    public let step: Int?
    /// The bits in that entry.
    public let bits: UInt64

    init(_ kind: Kind, step: Int? = nil, bits: UInt64 = 0) {
        (self.kind, self.step, self.bits) = (kind, step, bits)
    }
}

extension ExplainedWalk {
    /// What forbids an access; nil when nothing does.
    public func fault(of access: Access) -> WalkFault? {
        if let stop { return stop }
        if steps.isEmpty { return nil }
        let isUserPage = first(lacking: .user) == nil
        if access.isUser, let step = first(lacking: .user) {
            return WalkFault(.supervisorOnly, step: step, bits: PageFlags.user.rawValue)
        }
        if !access.isUser, isUserPage {
            let (isFetch, last) = (access.kind == .execute, steps.count - 1)
            let bit = state.cr4 & (isFetch ? CR4.supervisorExecution : CR4.supervisorAccess)
            if bit != 0 {
                return WalkFault(isFetch ? .userCode : .userData, step: last, bits: PageFlags.user.rawValue)
            }
        }
        switch access.kind {
        case .read: return nil
        case .write:
            guard access.isUser || state.cr0 & CR0.writeProtect != 0 else { return nil }
            return first(lacking: .writable).map {
                WalkFault(.readOnly, step: $0, bits: PageFlags.writable.rawValue)
            }
        case .execute:
            guard state.hasNoExecute else { return nil }
            let bit = PageFlags.noExecute.rawValue
            return steps.firstIndex { ($0.entry ?? 0) & bit != 0 }.map { WalkFault(.noExecute, step: $0, bits: bit) }
        }
    }

    /// The first level that does not allow something: PAE's first has no such bits.
    private func first(lacking flag: PageFlags) -> Int? {
        steps.firstIndex { step in
            let hasRights = state.mode != .pae || step.level.kind != .directoryPointers
            return hasRights && (step.entry ?? 0) & flag.rawValue == 0
        }
    }

    /// The error code that the CPU pushes; nil for what is no page fault.
    public func errorCode(of fault: WalkFault, _ access: Access) -> UInt64? {
        if fault.kind == .notCanonical || fault.kind == .above4GiB || fault.kind == .noMemory { return nil }
        let wasPresent = fault.kind != .notPresent
        let isFetch = access.kind == .execute && (state.hasNoExecute || state.cr4 & CR4.supervisorExecution != 0)
        return (wasPresent ? 1 : 0) | (access.kind == .write ? 2 : 0) | (access.isUser ? 4 : 0)
            | (fault.kind == .reserved ? 8 : 0) | (isFetch ? 16 : 0)
    }

    /// One clause, without the access: "bit 1 (R/W) of the PDE at 0x68000 is clear".
    public func words(_ fault: WalkFault) -> String {
        let entry = fault.step.map { "the \(steps[$0].level.entryName) at \(hex(steps[$0].entryAddress))" } ?? ""
        switch fault.kind {
        case .notCanonical:
            let highest = state.mode.addressBits - 1
            return "the address is not canonical, for bits 63 to \(highest) differ: #GP, or #SS by the stack pointer"
        case .above4GiB: return "\(state.mode.rawValue) has addresses of 32 bits"
        case .noMemory: return noMemory(fault.step ?? 0)
        case .notPresent: return "bit 0 (present) of \(entry) is clear"
        case .reserved:
            return "\(bitNames(fault.bits)) of \(entry) \(isOne(fault.bits) ? "is" : "are") set, but reserved"
        case .readOnly: return "bit 1 (R/W) of \(entry) is clear"
        case .supervisorOnly: return "bit 2 (U/S) of \(entry) is clear: only the supervisor may"
        case .noExecute: return "bit 63 (NX) of \(entry) is set"
        case .userCode: return "user code can reach the page, and CR4.SMEP is set"
        case .userData: return "user code can reach the page, and CR4.SMAP is set (unless RFLAGS.AC is)"
        }
    }

    private func noMemory(_ step: Int) -> String {
        let table = "the \(steps[step].level.kind.rawValue) at \(hex(steps[step].table))"
        let who = step == 0 ? "CR3" : "the \(steps[step - 1].level.entryName) at \(hex(steps[step - 1].entryAddress))"
        return "\(who) names \(table), where no memory is"
    }
}

private func isOne(_ bits: UInt64) -> Bool { bits.nonzeroBitCount == 1 }

/// "bit 7", "bits 13 to 20", "bits 7, 51".
private func bitNames(_ bits: UInt64) -> String {
    let (low, high) = (bits.trailingZeroBitCount, 63 - bits.leadingZeroBitCount)
    if isOne(bits) { return "bit \(low)" }
    if bits.nonzeroBitCount == high - low + 1 { return "bits \(low) to \(high)" }
    return "bits " + (0..<64).filter { bits >> $0 & 1 != 0 }.map { "\($0)" }.joined(separator: ", ")
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
