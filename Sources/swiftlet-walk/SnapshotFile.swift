// A snapshot as the source of a walk: registers of a saved vCPU, memory from the file and those that it was written on.
//
// Read next: CoreFile.swift.

import Host
import Snapshot
import Subcommand
import VMM
import X86

/// A class, because a snapshot is not copied.
final class SnapshotFile: WalkSource {
    private let snapshot: Snapshot
    private let saved: SavedRegisters
    let map: MachineMap

    /// Nil when it has no such vCPU.
    init?(_ snapshot: consuming Snapshot, vcpu: Int) {
        guard let registers = snapshot.registers(vcpu: vcpu) else { return nil }
        (saved, map) = (registers, snapshot.map)
        self.snapshot = snapshot
    }

    var paging: PagingState { saved.paging }
    var isUser: Bool { saved.isUser }
    var registers: [(name: String, value: UInt64)] {
        [("rip", saved.rip), ("rsp", saved.rsp), ("cr2", saved.cr2)]
    }
    var remarks: [String] { [] }

    func word(_ address: UInt64, _ size: UInt64) -> UInt64? {
        guard let page = try? snapshot.page(address & ~4095) else { return nil }
        let start = Int(address & 4095)
        return number(page.bytes[start..<start + Int(size)])
    }

    func host(_ physical: UInt64) -> String? {
        guard let page = try? snapshot.page(physical & ~4095) else { return nil }
        guard let place = page.place else {
            return "in no file: a page of zeros, which a restore makes when it is touched"
        }
        let offset = place.offset + (physical & 4095)
        let cache = page.isCached.map { $0 ? ", in the page cache" : ", not in the page cache" } ?? ""
        return "\(printable(place.file)) at \(hex(offset))\(cache); a restore maps it copy-on-write"
    }
}
