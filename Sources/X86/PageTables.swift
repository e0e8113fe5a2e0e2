// Four-level page tables: entry bits, a builder that maps ranges, and a walk from virtual to physical.
//
// They are pure functions over something that loads and stores 64-bit words, so tests need no VM (Intel SDM vol. 3A,
// chapter 4.5). Read next: Boot/RingThree.swift.

/// Where page tables are: guest memory in a machine, a dictionary in a test.
public protocol PageTableMemory: ~Copyable {
    /// The word at a guest-physical address; nil when there is no memory.
    func loadEntry(_ address: UInt64) -> UInt64?
    func storeEntry(_ value: UInt64, _ address: UInt64)
}

/// Bits of an entry, the same at all levels but for `huge`.
public struct PageFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let present = PageFlags(rawValue: 1 << 0)
    public static let writable = PageFlags(rawValue: 1 << 1)
    public static let user = PageFlags(rawValue: 1 << 2)
    /// In a level-2 entry: maps 2 MiB itself.
    public static let huge = PageFlags(rawValue: 1 << 7)
    public static let noExecute = PageFlags(rawValue: 1 << 63)

    /// The guest's data, the default of all memory.
    public static let data: PageFlags = [.present, .writable, .user, .noExecute]
    public static let readOnly: PageFlags = [.present, .user, .noExecute]
    public static let code: PageFlags = [.present, .user]
    /// The machine's tables: for the CPU's own accesses, which are supervisor's, and for nobody else.
    public static let supervisor: PageFlags = [.present, .noExecute]
}

/// The bits of an entry that hold an address.
@usableFromInline package let addressMask: UInt64 = 0x000f_ffff_ffff_f000

/// Builds page tables in a range of memory, a page at a time.
public struct PageTableBuilder: Sendable {
    public let root: UInt64
    /// The next page for a table. Ends at `end`.
    public private(set) var next: UInt64
    let end: UInt64

    /// Tables are taken from `tables`, which must be zeroed; the first page is the root (the PML4).
    public init(tables: Range<UInt64>) {
        root = tables.lowerBound
        next = tables.lowerBound + AddressMap.pageSize
        end = tables.upperBound
    }

    /// Pages that mapping may need at most: root, one level-3 table, a level-2 table for each GiB, and a level-1 table
    /// for each 2 MiB range that is split.
    public static func pagesNeeded(top: UInt64, splitRanges: Int) -> UInt64 {
        2 + (top + (1 << 30) - 1) >> 30 + top >> 39 + UInt64(splitRanges)
    }

    /// Maps `range` to the physical addresses of the same value, with 2 MiB leaves where `huge` allows it and both ends
    /// are aligned; false when the tables are full.
    @inlinable
    public mutating func mapIdentity<M: PageTableMemory & ~Copyable>(
        _ range: Range<UInt64>, _ flags: PageFlags, huge: Bool, in memory: borrowing M
    ) -> Bool {
        var address = range.lowerBound
        while address < range.upperBound {
            let isHuge =
                huge && address % AddressMap.hugePageSize == 0
                && range.upperBound - address >= AddressMap.hugePageSize
            let size = isHuge ? AddressMap.hugePageSize : AddressMap.pageSize
            let bits = flags.rawValue | (isHuge ? PageFlags.huge.rawValue : 0)
            guard var slot = slot(of: address, level: isHuge ? 2 : 1, in: memory) else { return false }
            repeat {  // the entries that follow in the same table
                memory.storeEntry(address | bits, slot)
                address += size
                slot += 8
            } while slot % AddressMap.pageSize != 0 && range.upperBound - address >= size
        }
        return true
    }

    /// The address of the entry that maps `address` at `level`, making the tables above it.
    @inlinable
    mutating func slot<M: PageTableMemory & ~Copyable>(
        of address: UInt64, level: Int, in memory: borrowing M
    ) -> UInt64? {
        var table = root
        for upper in stride(from: 4, to: level, by: -1) {
            let slot = table + PageWalk.index(address, level: upper) * 8
            guard let entry = memory.loadEntry(slot) else { return nil }
            if entry & PageFlags.present.rawValue == 0 {
                guard let page = takePage() else { return nil }
                memory.storeEntry(0, page)  // a write before the first read: one page fault of ours, not two
                memory.storeEntry(page | (PageFlags([.present, .writable, .user]).rawValue), slot)
                table = page
            } else {
                table = entry & addressMask
            }
        }
        return table + PageWalk.index(address, level: level) * 8
    }

    @usableFromInline
    mutating func takePage() -> UInt64? {
        guard next < end else { return nil }
        next += AddressMap.pageSize
        return next - AddressMap.pageSize
    }
}

/// A walk of the tables, as the CPU does it.
public enum PageWalk {
    @inlinable
    package static func index(_ address: UInt64, level: Int) -> UInt64 {
        address >> (UInt64(level) * 9 + 3) & 0x1ff
    }

    /// What a virtual address is mapped to.
    public struct Mapping: Equatable, Sendable {
        public var physical: UInt64
        /// Bytes that the leaf maps: 4 KiB, 2 MiB or 1 GiB.
        public var pageSize: UInt64
        public var flags: PageFlags
    }

    /// How many bytes from `address` on are not mapped because one and the same entry is not present.
    public static func gap<M: PageTableMemory & ~Copyable>(
        at address: UInt64, root: UInt64, in memory: borrowing M
    ) -> UInt64 {
        var table = root & addressMask
        var level: UInt64 = 4
        while level > 1, let entry = memory.loadEntry(table + index(address, level: Int(level)) * 8),
            entry & PageFlags.present.rawValue != 0
        {
            table = entry & addressMask
            level -= 1
        }
        let size = UInt64(1) << (level * 9 + 3)
        return size - (address & (size - 1))
    }

    /// The root of a CPU without paging: each address below 4 GiB is its own.
    public static let unpaged = UInt64.max - 1

    /// Nil when the address is not mapped or not canonical, or a table lies outside memory.
    public static func translate<M: PageTableMemory & ~Copyable>(
        _ address: UInt64, root: UInt64, in memory: borrowing M
    ) -> Mapping? {
        if root == unpaged {
            return address >> 32 != 0 ? nil : Mapping(physical: address, pageSize: 4096, flags: [.present, .writable])
        }
        guard Int64(bitPattern: address) >> 47 == 0 || Int64(bitPattern: address) >> 47 == -1 else { return nil }
        var table = root & addressMask
        var flags: UInt64 = PageFlags([.present, .writable, .user]).rawValue
        var noExecute: UInt64 = 0
        for level in stride(from: 4, through: 1, by: -1) {
            guard let entry = memory.loadEntry(table + index(address, level: level) * 8),
                entry & PageFlags.present.rawValue != 0
            else { return nil }
            flags &= entry  // an access must be allowed at every level
            noExecute |= entry & PageFlags.noExecute.rawValue
            let size = UInt64(1) << (UInt64(level) * 9 + 3)
            if level == 1 || (level < 4 && entry & PageFlags.huge.rawValue != 0) {
                let physical = (entry & addressMask & ~(size - 1)) | (address & (size - 1))
                return Mapping(physical: physical, pageSize: size, flags: PageFlags(rawValue: flags | noExecute))
            }
            table = entry & addressMask
        }
        return nil
    }
}
