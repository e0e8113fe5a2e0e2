// What an entry says, in words: its bits by name, and where it points.
//
// Intel SDM vol. 3A, tables 4-2 to 4-20. Read next: ../PVClock.swift.

extension ExplainedWalk.Step {
    /// "writable, user, accessed, dirty"; "not present" is all that the CPU sees of an entry without bit 0.
    public func meaning(_ state: PagingState) -> [String] {
        guard let entry else { return ["no memory"] }
        if entry & PageFlags.present.rawValue == 0 { return ["not present"] }
        let reserved = entry & reservedBits(state)
        func isSet(_ bit: UInt64) -> Bool { entry >> bit & 1 != 0 }
        var words: [String] = []
        if state.mode != .pae || level.kind != .directoryPointers {
            words += [isSet(1) ? "writable" : "read-only", isSet(2) ? "user" : "supervisor"]
            if state.hasNoExecute { words.append(isSet(63) ? "no-execute" : "executable") }
        }
        if isSet(5) { words.append("accessed") }
        if isLeaf, isSet(6) { words.append("dirty") }
        if isLeaf, isSet(8), state.cr4 & CR4.globalPages != 0 { words.append("global") }
        if isSet(3) { words.append("write-through") }
        if isSet(4) { words.append("uncached") }
        if isLeaf, isSet(level.kind == .table ? 7 : 12) { words.append("PAT") }
        if reserved != 0 { words.append("reserved bits \(hex(reserved))") }
        return words
    }
}

extension ExplainedWalk {
    /// What all levels together allow: "rwx", with a dash for each that user code may not, or "rwx" of the supervisor.
    public func rights(isUser: Bool) -> String {
        zip(Access.Kind.allCases, ["r", "w", "x"]).map { kind, letter in
            fault(of: Access(kind, isUser: isUser)) == nil ? letter : "-"
        }.joined()
    }

    /// The bits of the address that each level takes, and the rest: "000000000 000000000 000000000 001000000 000000000000".
    public var addressBits: [String] {
        var parts = state.mode.levels.map { digits($0.index(address), count: Int($0.bits)) }
        let rest = page.map { $0.size.trailingZeroBitCount } ?? 12
        if page != nil { parts.removeLast(parts.count - steps.count) }  // what a large page covers is one number
        parts.append(digits(address & (1 << UInt64(rest) - 1), count: rest))
        return parts
    }
}

private func digits(_ value: UInt64, count: Int) -> String {
    let digits = String(value, radix: 2)
    return String(repeating: "0", count: max(0, count - digits.count)) + digits
}
