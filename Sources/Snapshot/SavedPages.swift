// A snapshot read page by page, without a machine: for whoever looks into one.
//
// A page is read from the newest file of the chain that has it, never mapped: a file that is cut short meanwhile is an error, not
// a signal. Read next: ../swiftlet-walk/SnapshotFile.swift.

import Boot
import CSnapshot
import Host
import VMM
import X86

/// A page of guest memory as a snapshot has it.
public struct SavedPage: Sendable {
    public let bytes: [UInt8]
    /// The file that holds it, and where; nil when no file does, for the page is zero.
    public let place: (file: String, offset: UInt64)?
    /// Whether the host has it in the page cache; nil when that is not known.
    public let isCached: Bool?
}

/// Registers of a vCPU that was saved.
public struct SavedRegisters: Sendable {
    public let paging: PagingState
    public let cr2: UInt64
    public let rip: UInt64
    public let rsp: UInt64
    public let isUser: Bool
}

extension Snapshot {
    /// The page at a guest-physical address, a multiple of 4096; nil where no memory is.
    public func page(_ address: UInt64) throws(SnapshotError) -> SavedPage? {
        let (low, high) = memory
        guard address % Format.page == 0,
            AddressMap.machine.contains(address) || low.contains(address) || high.contains(address)
        else { return nil }
        if let saved = try savedPage(address) { return saved }
        return SavedPage(bytes: [UInt8](repeating: 0, count: Int(Format.page)), place: nil, isCached: nil)
    }

    /// Nil when no file of the chain says anything of it.
    private func savedPage(_ address: UInt64) throws(SnapshotError) -> SavedPage? {
        guard let extent = extents.extent(of: address) else { return try parent?.snapshot.savedPage(address) }
        if extent.offset == 0 { return nil }  // zero again
        let offset = extent.offset + (address - extent.address)
        let bytes = try snapshotIO(try file.read(at: offset, Int(Format.page)))
        if bytes.count < Int(Format.page) { throw .truncated(path, size: offset, needed: fileSize) }
        return SavedPage(bytes: bytes, place: (path, offset), isCached: file.isCached(at: offset))
    }

    /// Nil for one that there was not.
    public func registers(vcpu number: Int) -> SavedRegisters? {
        // Sound: the shim reads a struct of the size that `init` has checked.
        let first = number == 0 ? unsafe csnapshot_look(vcpu.start) : nil
        guard let look = first ?? OtherVCPUs(others).state(number - 1)?.look else { return nil }
        let paging = PagingState(
            cr0: look.cr0, cr3: look.cr3, cr4: look.cr4, efer: look.efer, physicalBits: look.physical_bits)
        return SavedRegisters(
            paging: paging, cr2: look.cr2, rip: look.rip, rsp: look.rsp, isUser: look.cs & 3 == 3)
    }

    /// What lies where.
    public var map: MachineMap {
        let (low, high) = memory
        return MachineMap(.ringThree(RingThree(layout: layout, bias: machine.bias)), low: low, high: high)
    }
}
