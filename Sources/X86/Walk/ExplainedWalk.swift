// A walk that keeps what it saw: every level's table, index and entry, where it ended, and which accesses would fault and why.
//
// A pure function of registers and a reader of physical memory: a snapshot's file, a core, a machine that runs, a dictionary
// in a test. The tables are hostile: a walk is at most five reads whatever they say. Read next: WalkFault.swift.

/// What an address is translated to, step by step.
public struct ExplainedWalk: Equatable, Sendable {
    /// One entry on the way.
    public struct Step: Equatable, Sendable {
        public let level: PagingLevel
        /// The physical address of the table, and of the entry in it.
        public let table: UInt64
        public let index: UInt64
        public let entryAddress: UInt64
        /// Nil where no memory is.
        public let entry: UInt64?
        /// It maps a page, and names no further table.
        public let isLeaf: Bool
    }

    /// A page, and where in it the address lies.
    public struct Page: Equatable, Sendable {
        public let physical: UInt64
        /// Bytes: 4 KiB, 2 MiB, 4 MiB or 1 GiB.
        public let size: UInt64
        public var start: UInt64 { physical & ~(size - 1) }
    }

    public let address: UInt64
    public let state: PagingState
    public let steps: [Step]
    /// Nil when the walk ended at a fault that every access has.
    public let page: Page?
    /// Why it ended early.
    public let stop: WalkFault?

    /// Walks the tables. `read` gives the bytes at a physical address (4 or 8, aligned) as a number, nil where no memory is.
    public init(_ address: UInt64, _ state: PagingState, read: (_ address: UInt64, _ size: UInt64) -> UInt64?) {
        let mode = state.mode
        var (steps, page, stop): ([Step], Page?, WalkFault?) = ([], nil, nil)
        (self.address, self.state) = (address, state)
        if !Self.exists(address, mode) {
            stop = WalkFault(mode.addressBits == 32 ? .above4GiB : .notCanonical)
        } else if mode == .none {
            page = Page(physical: address, size: 4096)
        } else {
            var table = state.root
            for level in mode.levels {
                let step = Self.step(address, level, table, state, read)
                steps.append(step)
                stop = Self.problem(step, state, number: steps.count - 1)
                guard stop == nil, let entry = step.entry else { break }
                if step.isLeaf {
                    page = Self.page(address, entry, level, mode)
                    break
                }
                table = Self.target(entry, mode)
            }
        }
        (self.steps, self.page, self.stop) = (steps, page, stop)
    }

    private static func exists(_ address: UInt64, _ mode: PagingMode) -> Bool {
        if mode.addressBits == 32 { return address >> 32 == 0 }
        let upper = Int64(bitPattern: address) >> Int64(mode.addressBits - 1)
        return upper == 0 || upper == -1
    }

    private static func step(
        _ address: UInt64, _ level: PagingLevel, _ table: UInt64, _ state: PagingState,
        _ read: (UInt64, UInt64) -> UInt64?
    ) -> Step {
        let size = state.mode.entrySize
        let place = table + level.index(address) * size
        let entry = read(place, size)
        let isLarge = level.canMap && (entry ?? 0) & PageFlags.huge.rawValue != 0
        // In 32-bit paging bit 7 is ignored unless CR4 says otherwise.
        let isLeaf =
            level.kind == .table || isLarge && (state.mode != .bits32 || state.cr4 & CR4.largePages != 0)
        return Step(
            level: level, table: table, index: level.index(address), entryAddress: place, entry: entry, isLeaf: isLeaf)
    }

    private static func problem(_ step: Step, _ state: PagingState, number: Int) -> WalkFault? {
        guard let entry = step.entry else { return WalkFault(.noMemory, step: number) }
        if entry & PageFlags.present.rawValue == 0 { return WalkFault(.notPresent, step: number, bits: 1) }
        let reserved = entry & step.reservedBits(state)
        return reserved == 0 ? nil : WalkFault(.reserved, step: number, bits: reserved)
    }

    /// Where an entry that maps no page points.
    private static func target(_ entry: UInt64, _ mode: PagingMode) -> UInt64 {
        mode == .bits32 ? entry & 0xffff_f000 : entry & addressMask
    }

    private static func page(_ address: UInt64, _ entry: UInt64, _ level: PagingLevel, _ mode: PagingMode) -> Page {
        let size = level.span
        var start = target(entry, mode) & ~(size - 1)
        // PSE-36: bits 13-20 of a 4 MiB entry are bits 32-39 of the address.
        if mode == .bits32, level.kind == .directory { start |= (entry >> 13 & 0xff) << 32 }
        return Page(physical: start | address & (size - 1), size: size)
    }
}

extension ExplainedWalk.Step {
    /// The address in the entry: of the next table, or of the page.
    public func target(_ state: PagingState) -> UInt64 {
        let address = (entry ?? 0) & (state.mode == .bits32 ? 0xffff_f000 : addressMask)
        return isLeaf ? address & ~(level.span - 1) : address
    }

    /// Bits that must be clear in a present entry.
    func reservedBits(_ state: PagingState) -> UInt64 {
        if state.mode == .bits32 { return isLeaf && level.kind == .directory ? 1 << 21 : 0 }
        var reserved = addressMask & ~(1 << state.physicalBits - 1)
        if !state.hasNoExecute { reserved |= PageFlags.noExecute.rawValue }
        if state.mode == .pae {
            reserved |= 0x7ff0_0000_0000_0000
            if level.kind == .directoryPointers { return reserved | 1 << 63 | 0x1e6 }
        }
        if isLeaf {
            // Below a large page's address only bit 12, PAT, is free.
            return level.kind == .table ? reserved : reserved | (level.span - 1) & ~0x1fff
        }
        return level.canMap || level.kind == .table ? reserved : reserved | PageFlags.huge.rawValue
    }
}
