// What all clones of a snapshot share: its file's clean pages, its registers, and which of its pages are page tables.
//
// Read next: Clone.swift, then DirtyPages.swift (what the second mapping of the file is for).

import CABI
import CSnapshot
import Glibc
import GuestMemory
import Host
import KVM
import VMM
import X86

/// A snapshot from which clones are made, any number, on any thread. The file must stay as it is while there are clones.
public final class CloneSource: Sendable {
    /// The snapshot itself.
    let snapshot: Snapshot
    /// How many clones there are to be, for the guests; 0 when nobody knows.
    let count: UInt32
    let kvm: KVM
    let vcpuMappingSize: Int
    /// The whole file, to copy pages back from.
    let pristine: PristineMemory
    /// Guest-physical addresses of the snapshot's page tables; nil when there are too many to look at.
    let tables: [UInt64]?
    /// Of this process: which pages a clone has of its own.
    let pageMap: File
    /// Always readable, and never read: what a handed-over console's input is.
    let folder: File
    let watchdog: Watchdog

    /// Opens KVM and maps the file: microseconds. The content of memory is not checked: `Snapshot.verify` does that.
    ///
    /// - Throws: what this host lacks to run the guest, by name.
    public init(_ snapshot: consuming Snapshot, count: UInt32 = 0) throws(SnapshotError) {
        try snapshot.checkHost(GuestCPU().features)
        try snapshotIO(try Thread.installKick())
        let kvm = try snapshotKVM(try KVM())
        try snapshotKVM(try kvm.require())
        vcpuMappingSize = try snapshotKVM(try kvm.vcpuMappingSize())
        let pristine = try PristineMemory(snapshot)
        let pageMap = try snapshotIO(try File("/proc/self/pagemap", .read))
        let folder = try snapshotIO(try File("/proc/self", .read))
        watchdog = try Watchdog.shared()
        tables = TableWalk.pages(root: unsafe cclone_root(snapshot.vcpu.start), pristine)
        self.pristine = pristine
        self.snapshot = snapshot
        self.kvm = kvm
        self.count = count
        self.pageMap = pageMap
        self.folder = folder
    }

    /// The path of the snapshot.
    public var path: String { snapshot.path }
}

/// A snapshot's memory as it was saved, by guest-physical address: a mapping of the file that nobody writes to.
@safe final class PristineMemory: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    private let size: Int
    private let zeros: UnsafeMutableRawPointer
    /// Ascending.
    let runs: [Extents.Run]

    init(_ snapshot: borrowing Snapshot) throws(SnapshotError) {
        size = Int(snapshot.fileSize)
        let zeros = unsafe aligned_alloc(4096, 4096)
        guard let zeros = unsafe zeros else { throw .host(HostError("aligned_alloc", "", errno: ENOMEM)) }
        unsafe memset(zeros, 0, 4096)
        let start = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, snapshot.file.fd, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            let error = errno
            unsafe free(zeros)
            throw .host(HostError("mmap", snapshot.path, errno: error))
        }
        unsafe self.zeros = zeros
        unsafe self.start = start
        var runs: [Extents.Run] = []
        var next = 0
        while next < snapshot.extents.indices.upperBound {
            let run: Extents.Run
            (run, next) = snapshot.extents.run(at: next)
            runs.append(run)
        }
        self.runs = runs
    }

    deinit {
        unsafe munmap(start, size)
        unsafe free(zeros)
    }

    /// Where the content of the page at a guest-physical address lies; nil where the snapshot has zeros.
    func page(_ address: UInt64) -> UnsafeRawPointer? {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            let run = runs[middle]
            if address < run.address {
                high = middle
            } else if address - run.address >= run.size {
                low = middle + 1
            } else {
                // Sound: `makeSense` has checked every extent against the file.
                return unsafe UnsafeRawPointer(start) + Int(run.offset + (address - run.address))
            }
        }
        return nil
    }

    /// The same with zeros for a page that the snapshot does not hold.
    func content(_ address: UInt64) -> UnsafeRawPointer { unsafe page(address) ?? UnsafeRawPointer(zeros) }
}

/// The pages that a root's tables lie in. The tables are the guest's: they may lead anywhere, to themselves too.
enum TableWalk {
    private static let mostVisits = 65536

    /// Nil when it did not come to an end.
    static func pages(root: UInt64, _ memory: PristineMemory) -> [UInt64]? {
        var seen: Set<UInt64> = []
        var pages: Set<UInt64> = []
        var next: [(table: UInt64, level: UInt64)] = [(root, 4)]
        while let (table, level) = next.popLast() {
            guard seen.insert(table | level).inserted else { continue }
            if seen.count > mostVisits { return nil }
            guard let page = unsafe memory.page(table) else { continue }
            pages.insert(table)
            if level == 1 { continue }
            for index in 0..<512 {
                let entry = unsafe page.load(fromByteOffset: index * 8, as: UInt64.self)
                let isTable =
                    PageFlags(rawValue: entry).contains(.present)
                    && (level == 4 || !PageFlags(rawValue: entry).contains(.huge))
                if isTable { next.append((entry & 0x000f_ffff_ffff_f000, level - 1)) }
            }
        }
        return pages.sorted()
    }
}
