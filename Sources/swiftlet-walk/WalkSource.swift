// What a walk needs of a file: physical memory, and the registers that say how it is translated.
//
// Read next: SnapshotFile.swift, CoreFile.swift.

import Host
import Snapshot
import Subcommand
import VMM
import X86

protocol WalkSource {
    var paging: PagingState { get }
    /// Whether the vCPU was in ring 3.
    var isUser: Bool { get }
    /// By which addresses can be named.
    var registers: [(name: String, value: UInt64)] { get }
    var map: MachineMap { get }
    /// What a reader should know before the walk.
    var remarks: [String] { get }
    /// Bytes at an aligned physical address as a number; nil where no memory is.
    func word(_ address: UInt64, _ size: UInt64) -> UInt64?
    /// Where the host has what lies at a physical address.
    func host(_ physical: UInt64) -> String?
}

/// A snapshot or a core, by its first bytes; `vcpu` nil: the first, or the one that crashed.
func openSource(_ path: String, vcpu: Int?) throws(SubcommandError) -> any WalkSource {
    let file = try fromHost(path, try File.regular(path))
    if try fromHost(path, try file.read(at: 0, 64)).starts(with: Snapshot.mark) {
        do throws(SnapshotError) {
            let snapshot = try Snapshot(path)
            if let source = SnapshotFile(snapshot, vcpu: vcpu ?? 0) { return source }
        } catch { throw SubcommandError(printable(error.message)) }
        throw noVCPU(path, vcpu)
    }
    let size = try fromHost(path, try file.size())
    if let core = CoreFile(path, file, size, vcpu: vcpu) { return core }
    if vcpu != nil, CoreFile(path, try fromHost(path, try File.regular(path)), size, vcpu: nil) != nil {
        throw noVCPU(path, vcpu)
    }
    throw SubcommandError(
        "walk: \(printable(path)): neither a snapshot nor a core of a swiftlet that says how memory is translated: "
            + "'swiftlet run --snapshot' or '--core' makes one")
}

private func noVCPU(_ path: String, _ vcpu: Int?) -> SubcommandError {
    SubcommandError("walk: --vcpu \(vcpu ?? 0): \(printable(path)) has no such vCPU: they count from 0")
}

/// Bytes as a number, the lowest first.
func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var value: UInt64 = 0
    for (index, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
    return value
}
