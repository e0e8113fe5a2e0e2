// The file that a snapshot was written on top of: known by name, by its random identity, and by its header's checksum.
//
// The header has the checksums of all else in the file, the table of memory's too, and that those of the content: so a parent
// that was replaced by another, or changed, is found when its child is opened. Depths go down by one, so a chain ends.
// Read next: Restoring.swift.

import CSnapshot
import Glibc
import Host

/// What a child knows of its parent.
///
/// A class: the runtime would make the type of an optional struct from its mangled name, in every restore.
final class ParentReference {
    /// Of the child, for messages.
    let child: String
    let record: csnapshot_parent

    init(child: String, record: csnapshot_parent) { (self.child, self.record) = (child, record) }

    /// Whether a file is the one that the child was written on.
    func check(_ parent: SectionReader, _ file: borrowing File) throws(SnapshotError) {
        let isAlike = parent.header.checksum == record.checksum && parent.header.file_size == record.file_size
        guard isAlike, parent.has(.identity), try parent.readIdentity(file).words == record.identity.words else {
            throw .otherParent(child, parent: parent.path)
        }
    }
}

/// A parent, opened. A class, because a struct cannot hold one of its own kind.
final class ParentSnapshot: Sendable {
    let snapshot: Snapshot
    /// Files from here down, this one included.
    let depth: UInt32

    /// Of the file that `child` reads, which may be a parent itself, of whoever knows `reference`.
    init(
        _ child: SectionReader, _ file: borrowing File, below reference: ParentReference?
    ) throws(SnapshotError) {
        let bytes = try child.readBytes(.parent, file)
        let size = MemoryLayout<csnapshot_parent>.size
        guard let record = bytes.load(at: 0, as: csnapshot_parent.self), let name = bytes.text(from: size),
            Self.isName(name), (1...Format.deepest).contains(record.depth),
            reference.map({ record.depth == $0.record.depth - 1 }) ?? true
        else { throw .damaged(child.path, part: SectionKind.parent.name) }
        let path = prefix(of: child.path) + name
        do throws(SnapshotError) {
            snapshot = try Snapshot(path, for: ParentReference(child: child.path, record: record))
        } catch {
            if case .host(let error) = error, error.errno == ENOENT { throw .noParent(child.path, parent: path) }
            throw error
        }
        depth = record.depth
        if (snapshot.parent == nil) != (depth == 1) { throw .damaged(child.path, part: SectionKind.parent.name) }
    }

    /// A file in the same folder.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255 && name != "." && name != ".."
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    /// Whether its memory is the child's, which may have grown since.
    func fits(_ low: Range<UInt64>, _ high: Range<UInt64>) -> Bool {
        let own = snapshot.memory
        return own.low == low && own.high.upperBound <= max(high.upperBound, high.lowerBound)
    }
}

/// What stands before a path's last name: "folder/", or nothing.
func prefix(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }

extension Snapshot {
    /// This file and those that it was written on top of, the newest first.
    var paths: [String] { [absolutePath(path)] + (parent?.snapshot.paths ?? []) }

    /// Their tables of memory.
    var tables: [Extents] { [extents] + (parent?.snapshot.tables ?? []) }
}
