// The file that is inspected: any regular file that we may read.
//
// Read next: Inspection.swift.

import Host
import Subcommand
import VMM

struct InspectedFile: ~Copyable {
    let path: String
    let size: UInt64
    let file: File

    init(_ path: String) throws(SubcommandError) {
        let file = try fromHost(path, try File.regular(path))
        size = try fromHost(path, try file.size())
        self.path = path
        self.file = file
    }

    /// Its first bytes; a file that cannot be read is an error, not an unknown kind.
    func head(_ count: Int) throws(SubcommandError) -> [UInt8] {
        try fromHost(path, try file.read(at: 0, count))
    }
}
