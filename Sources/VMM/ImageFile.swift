// The files a machine is made from: the image, and the data module given with `--module`.
//
// Read next: Machine.swift.

import Boot
import GuestMemory
import Host

/// An image and the descriptor it is read through, open as long as the machine is: crash reports need its symbols.
package struct ImageFile: ~Copyable, @unchecked Sendable {
    let path: String
    let image: ELFImage
    /// Size and time of change: is it still the same?
    let stamp: FileStamp
    let file: File

    init(_ path: String) throws(MachineError) {
        let file = try fromHost(try File.regular(path))
        let stamp = try fromHost(try file.stamp())
        image = try fromImage(path, try ELFImage(fd: file.fd, fileSize: stamp.size))
        self.stamp = stamp
        self.path = path
        self.file = file
    }
}

/// The data module, or none.
struct ModuleFile: ~Copyable {
    let size: UInt64
    private let path: String
    private let file: File?

    init(_ path: String?) throws(MachineError) {
        guard let path else {
            size = 0
            self.path = ""
            file = nil
            return
        }
        let file = try fromHost(try File.regular(path))
        size = try fromHost(try file.size())
        self.path = path
        self.file = consume file
    }

    /// Reads it into guest memory, which has room for all of it.
    func load(into memory: borrowing GuestMemory, at address: UInt64) throws(MachineError) {
        guard file != nil else { return }
        let result = memory.withMutableSpan(GuestAddress(address), size) { span in
            file?.read(into: &span) ?? .success(0)
        }
        switch result {
        case .success(Int(size)): return
        case .success, nil: throw .host(HostError("read", "\(path): the file became shorter", errno: 5))
        case .failure(let error): throw .host(HostError(error.call, path, errno: error.errno))
        }
    }
}
