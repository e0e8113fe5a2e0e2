// The files that options have named and that are opened only later: a core, a snapshot, statistics. Landlock lets these
// through, and what the kernel tells a process about itself.
//
// A rule is for a file that is there, or for a folder with all in it: a file that is yet to be made opens its folder to
// writing. Read next: CShims/CSandbox/include/csandbox.h.

import CSandbox
import Glibc
import Host

/// Paths, and what may be done with them.
public struct GivenFiles: Sendable {
    /// Most have one: an array, a program's first of its kind, takes 20 us.
    private var first: (path: String, use: Use)?
    private var others: [(path: String, use: Use)] = []

    private enum Use { case read, write, replace, device }

    public init() {}

    /// A file to read, or a folder with files to read.
    public mutating func read(_ path: String) { add(path, .read) }
    /// A file to write, which may have to be made.
    public mutating func write(_ path: String) { add(path, .write) }
    /// A file that is written under another name beside it and then renamed; the one that it replaces is looked at.
    public mutating func replace(_ path: String) { add(path, .replace) }
    /// A device to open and ask.
    public mutating func device(_ path: String) { add(path, .device) }

    private mutating func add(_ path: String, _ use: Use) {
        if first == nil { first = (path, use) } else { others.append((path, use)) }
    }

    /// Rules of Landlock, LANDLOCK_ACCESS_FS_*.
    private enum Access {
        static let writeFile: UInt64 = 1 << 1
        static let readFile: UInt64 = 1 << 2
        static let readFolder: UInt64 = 1 << 3
        static let removeFile: UInt64 = 1 << 5
        static let makeFile: UInt64 = 1 << 8
        static let truncate: UInt64 = 1 << 14  // version 3
        static let askDevice: UInt64 = 1 << 15  // version 5
        static func known(_ version: Int) -> UInt64 {
            version > 4 ? ~0 : version > 2 ? ~askDevice : ~(askDevice | truncate)
        }
    }

    /// Adds the rules. A path that is not there gets none: opening it will fail as it would have.
    func allow(in ruleset: borrowing File, _ version: Int) throws(HostError) {
        let known = Access.known(version)
        if let first { try allow(first.path, first.use, ruleset, known) }
        for (path, use) in others { try allow(path, use, ruleset, known) }
    }

    private func allow(
        _ path: String, _ use: Use, _ ruleset: borrowing File, _ known: UInt64
    ) throws(HostError) {
        let write = Access.writeFile | Access.truncate
        switch use {
        case .read: try allow(path, Access.readFile & known, ruleset)
        case .device: try allow(path, (Access.readFile | Access.writeFile | Access.askDevice) & known, ruleset)
        case .write:
            if try !allow(path, write & known, ruleset) {
                try allow(folder(of: path), (write | Access.makeFile) & known, ruleset)
            }
        case .replace:
            let access = write | Access.readFile | Access.makeFile | Access.removeFile | Access.readFolder
            try allow(folder(of: path), access & known, ruleset)
        }
    }

    /// False when the path is not there, or a file where a folder should be: opening it will tell.
    @discardableResult
    private func allow(_ path: String, _ access: UInt64, _ ruleset: borrowing File) throws(HostError) -> Bool {
        let result = unsafe path.withCString { unsafe csandbox_landlock_allow(ruleset.fd, $0, access) }
        if [-Int(ENOENT), -Int(ENOTDIR), -Int(EINVAL)].contains(result) { return false }
        try Sandbox.check("landlock_add_rule \(path)", result)
        return true
    }
}
