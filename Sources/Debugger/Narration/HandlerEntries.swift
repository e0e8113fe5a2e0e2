// Where the guest's own handlers of exceptions and interrupts begin: by its IDT.
//
// A step in ring 3 is RFLAGS.TF, which the CPU clears when it enters a handler: without a breakpoint there a step would run until
// the handler returns. Gates: Intel SDM vol. 3A, 7.11 and 7.14.1. Read next: Narrator.swift.

struct HandlerEntries {
    private var table: [UInt8] = []
    /// Vectors by the address that their gates lead to.
    private var vectors: [UInt64: [Int]] = [:]

    /// The IDT as it is now; nil when it is as before. Returns addresses that are new, and those that are gone.
    mutating func update(_ table: [UInt8], is64Bit: Bool) -> (new: [UInt64], gone: [UInt64])? {
        if table == self.table { return nil }
        let old = vectors
        self.table = table
        vectors = [:]
        let size = is64Bit ? 16 : 8
        for vector in 0..<min(256, table.count / size) {
            guard let address = Self.handler(table[vector * size..<(vector + 1) * size]) else { continue }
            vectors[address, default: []].append(vector)
        }
        return (vectors.keys.filter { old[$0] == nil }.sorted(), old.keys.filter { vectors[$0] == nil }.sorted())
    }

    /// Of a handler that begins at `address`, or fewer than so many bytes before it.
    func vectors(at address: UInt64, within distance: UInt64) -> [Int]? {
        (0..<distance).lazy.compactMap { vectors[address &- $0] }.first
    }

    /// Nil for what is no interrupt or trap gate, or not present.
    private static func handler(_ gate: ArraySlice<UInt8>) -> UInt64? {
        func word(_ place: Int, _ size: Int) -> UInt64 {
            gate.dropFirst(place).prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard [0x8e, 0x8f].contains(word(5, 1) & 0x9f) else { return nil }
        return word(0, 2) | word(6, 2) << 16 | word(8, 4) << 32
    }
}
