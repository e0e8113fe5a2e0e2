// The guest's stack by its frame pointers, as far as there are any. The guest may be hostile: its memory is read through
// the machine's gate, the walk goes upwards only, and it is short.
//
// A function built without frame pointers (gcc's default from -O1 on) uses RBP as it likes: then the chain is not
// plausible, and the stack is the innermost function alone. Read next: SymbolTable.swift, Stacks.swift.

enum StackWalk {
    static let depth = 64
    /// No frame is larger.
    private static let largestFrame: UInt64 = 1 << 20

    /// The functions on a stack, innermost first.
    static func functions(
        _ rip: UInt64, _ basePointer: UInt64, root: UInt64, _ symbols: SymbolTable, _ machine: some ObservedMachine
    ) -> [String] {
        // The call lies before the address that it returns to, which may be the next function's first.
        [symbols.function(rip)] + callers(basePointer, root: root, machine).map { symbols.function($0 - 1) }
    }

    /// Return addresses along the chain of frames: each frame lies above the one before, and each address behind a call.
    static func callers(_ basePointer: UInt64, root: UInt64, _ machine: some ObservedMachine) -> [UInt64] {
        var frame = basePointer
        var addresses: [UInt64] = []
        while addresses.count < depth - 1, let next = machine.word(at: frame, root: root),
            let address = machine.word(at: frame &+ 8, root: root), isBehindCall(address, root: root, machine)
        {
            addresses.append(address)
            guard next > frame, next - frame <= largestFrame else { break }
            frame = next
        }
        return addresses
    }

    /// CALL with a displacement (e8 and four bytes), or through a register or memory (ff /2: two to seven bytes).
    private static func isBehindCall(_ address: UInt64, root: UInt64, _ machine: some ObservedMachine) -> Bool {
        guard address >= 7 else { return false }
        let before = machine.bytes(at: address - 7, 7, root: root)
        guard before.count == 7 else { return false }
        return before[2] == 0xe8 || (0...5).contains { before[$0] == 0xff && before[$0 + 1] >> 3 & 7 == 2 }
    }
}
