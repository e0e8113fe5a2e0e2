// What all clones of a snapshot share: its file's clean pages, its registers, and which of its pages are page tables.
//
// Read next: Clone.swift, then ClonePages.swift (what the second mapping of the file is for).

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
    /// To copy pages back from.
    let pristine: PristineMemory
    /// Guest-physical addresses of the snapshot's page tables; nil when there are too many to look at.
    let tables: [UInt64]?
    /// Of this process: which pages a clone has of its own.
    let pageMap: File
    /// Always readable, and never read: what a handed-over console's input is.
    let folder: File
    let watchdog: Watchdog

    /// Opens KVM and maps the files: microseconds. The content of memory is not checked: `Snapshot.verify` does that.
    ///
    /// - Throws: what this host lacks to run the guest, by name.
    public init(_ snapshot: consuming Snapshot, count: UInt32 = 0) throws(SnapshotError) {
        if snapshot.vcpuCount > 1 {
            throw .unsupported("\(snapshot.path): a guest with several vCPUs, which can be restored but not cloned")
        }
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

/// A snapshot's memory as it was saved, by guest-physical address: mapped like a clone's, and never written to.
@safe final class PristineMemory: Sendable {
    private let memory: GuestMemory

    init(_ snapshot: borrowing Snapshot) throws(SnapshotError) {
        let memory = try snapshot.reserve()
        try snapshot.map(into: memory)
        self.memory = memory
    }

    /// Where the content of the page at a guest-physical address lies, the machine's own pages included; nil where there
    /// is no memory.
    func page(_ address: UInt64) -> UnsafeRawPointer? {
        guard address < memory.low.upperBound || memory.high.contains(address) else { return nil }
        return unsafe UnsafeRawPointer(bitPattern: memory.hostBase + UInt(address))
    }
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
            pages.insert(table)  // an empty one too, which the snapshot does not hold: the guest may fill it
            guard let page = unsafe memory.page(table) else { continue }
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
