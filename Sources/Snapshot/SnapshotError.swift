// Why a snapshot could not be written, read or used, in the user's words.
//
// Read next: Snapshot.swift.

import Glibc
import Host
import KVM
import VMM

/// An error of Swiftlet's side: exit status 125.
public enum SnapshotError: Error, Sendable {
    case host(HostError)
    case machine(MachineError)
    /// Not a snapshot at all.
    case foreign(String)
    case newer(String, format: UInt32)
    /// Bytes that are there and that must be.
    case truncated(String, size: UInt64, needed: UInt64)
    /// A checksum is wrong, or what it covers makes no sense: which part.
    case damaged(String, part: String)
    /// The file that it was written on top of is not there, or is another.
    case noParent(String, parent: String)
    case otherParent(String, parent: String)
    /// This host's CPU lacks features that the guest was told of.
    case lacksFeatures(String, [String])
    case otherMaker(String, theirs: String, ours: String)
    case unsupported(String)

    /// The same, of a file's content, whose name the call that failed had not.
    func about(_ path: String) -> SnapshotError {
        guard case .host(let error) = self, error.subject.isEmpty else { return self }
        return .host(HostError(error.call, path, errno: error.errno))
    }

    /// One line.
    public var message: String {
        switch self {
        case .host(let error): MachineError.host(error).message  // the same advice as of `run`
        case .machine(let error): error.message
        case .foreign(let path): "\(path): not a snapshot of swiftlet's"
        case .newer(let path, let format):
            "\(path): a snapshot of format \(format), which a newer swiftlet wrote: this one reads up to \(Format.version)"
        case .truncated(let path, let size, let needed):
            "\(path): the snapshot is cut short: it has \(size) of \(needed) bytes"
        case .damaged(let path, let part): "\(path): the snapshot is damaged: its \(part) is not what was written"
        case .noParent(let path, let parent):
            "\(path): the snapshot was written on top of \(parent), which is not there: both are needed, in one folder"
        case .otherParent(let path, let parent):
            "\(path): the snapshot was written on top of another \(parent) than is there now"
        case .lacksFeatures(let path, let names):
            "\(path): the guest uses what this host's CPU lacks: \(names.joined(separator: ", "))"
        case .otherMaker(let path, let theirs, let ours):
            "\(path): made on a CPU of \(theirs), which lays out vector state otherwise than this host's of \(ours)"
        case .unsupported(let what): what
        }
    }
}

func snapshotIO<T: ~Copyable>(_ body: @autoclosure () throws(HostError) -> T) throws(SnapshotError) -> T {
    do throws(HostError) { return try body() } catch { throw .host(error) }
}

func snapshotKVM<T: ~Copyable>(_ body: @autoclosure () throws(KVMError) -> T) throws(SnapshotError) -> T {
    do throws(KVMError) { return try body() } catch { throw .machine(.kvm(error)) }
}

func snapshotMachine<T: ~Copyable>(_ body: @autoclosure () throws(MachineError) -> T) throws(SnapshotError) -> T {
    do throws(MachineError) { return try body() } catch { throw .machine(error) }
}
