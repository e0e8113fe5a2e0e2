// The smallest FUSE server: a root folder with one file, spoken directly over /dev/fuse, on a thread of its own.
//
// Numbers and layouts are <linux/fuse.h>'s, protocol 7.31; a struct is written here as its 32-bit words. The mount is
// detached (fsmount(2)): it is in no folder, and the kernel takes it back with the last descriptor, also when we crash.
// Read next: any test with a FaultyDisk.

import Glibc
import Host

final class FuseServer: Sendable {
    static let fileName = "disk"
    /// Names the root folder as long as this lives. Programs that have the file open keep the server's thread alive.
    let mount: Int32

    init(_ state: FaultyDisk.State, _ caching: FaultyDisk.Caching) throws(HostError) {
        let session = FuseSession(state, caching, fd: try checked("open", open("/dev/fuse", O_RDWR | O_CLOEXEC)))
        mount = try detachedMount(session.fd)
        // Not joined: it ends with the mount.
        _ = try Thread { session.serve() }
    }

    deinit { close(mount) }
}

/// Mounts what the holder of `device`, an open /dev/fuse, will serve.
private func detachedMount(_ device: Int32) throws(HostError) -> Int32 {
    let context = try checked("fsopen", fsopen("fuse", 1))  // FSOPEN_CLOEXEC
    defer { close(context) }
    let options = ["fd": "\(device)", "rootmode": "40000", "user_id": "\(getuid())", "group_id": "\(getgid())"]
    for (key, value) in options {
        _ = try checked("fsconfig", fsconfig(context, 1, key, value, 0))  // FSCONFIG_SET_STRING
    }
    _ = try checked("fsconfig", fsconfig(context, 6, nil, nil, 0))  // FSCONFIG_CMD_CREATE
    return try checked("fsmount", fsmount(context, 1, 6))  // FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID and NODEV
}

private func checked(_ call: String, _ result: Int32) throws(HostError) -> Int32 {
    if result < 0 { throw HostError(call, "/dev/fuse", errno: errno) }
    return result
}

/// A request as the kernel sends it: fuse_in_header, then what belongs to the operation.
private struct FuseRequest {
    let bytes: ArraySlice<UInt8>
    static let headerSize = 40

    func word(_ offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: long(offset, 4)) }
    func long(_ offset: Int, _ count: Int = 8) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[bytes.startIndex + offset + $1]) << UInt64(8 * $1) }
    }

    var operation: UInt32 { word(4) }
    var node: UInt64 { long(16) }
    var name: String { String(decoding: bytes.dropFirst(Self.headerSize).prefix { $0 != 0 }, as: UTF8.self) }
    /// Of fuse_read_in and fuse_write_in alike.
    var offset: Int { Int(truncatingIfNeeded: long(Self.headerSize + 8)) }
    var size: Int { Int(word(Self.headerSize + 16)) }
    /// Behind fuse_write_in.
    var data: [UInt8] { Array(bytes.dropFirst(Self.headerSize + 40).prefix(size)) }
}

private enum FuseAnswer {
    case none
    case error(Int32)
    case bytes([UInt8])

    static func words(_ words: [UInt32]) -> FuseAnswer {
        .bytes(words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
    }

    /// Of an operation that returns nothing else.
    init(_ error: Int32?) { self = error.map { .error($0) } ?? .bytes([]) }
}

private final class FuseSession: Sendable {
    private let state: FaultyDisk.State
    private let caching: FaultyDisk.Caching
    let fd: Int32
    private static let fileNode: UInt64 = 2
    private static let longestWrite = 128 << 10

    init(_ state: FaultyDisk.State, _ caching: FaultyDisk.Caching, fd: Int32) {
        (self.state, self.caching, self.fd) = (state, caching, fd)
    }

    deinit { close(fd) }

    /// Until the mount is gone.
    func serve() {
        var buffer = [UInt8](repeating: 0, count: Self.longestWrite + 4096)
        while true {
            let count = read(fd, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == ENOENT || errno == EAGAIN { continue }
            if count < FuseRequest.headerSize { return }
            let request = FuseRequest(bytes: buffer[..<count])
            send(answer(request), to: request)
        }
    }

    /// fuse_out_header: length, error, the request's number.
    private func send(_ answer: FuseAnswer, to request: FuseRequest) {
        var (error, body): (Int32, [UInt8]) = (0, [])
        switch answer {
        case .none: return
        case .error(let number): error = -number
        case .bytes(let bytes): body = bytes
        }
        var message: [UInt8] = []
        withUnsafeBytes(of: UInt32(16 + body.count)) { message += $0 }
        withUnsafeBytes(of: error) { message += $0 }
        message += request.bytes.dropFirst(8).prefix(8) + body
        // It fails when nobody waits for the answer any more.
        _ = write(fd, message, message.count)
    }

    private func answer(_ request: FuseRequest) -> FuseAnswer {
        switch request.operation {
        case 1:  // LOOKUP: fuse_entry_out: node, generation, how long name and attributes hold
            guard request.name == FuseServer.fileName else { return .error(ENOENT) }
            return .words([UInt32(Self.fileNode), 0, 0, 0] + [3600, 0, 3600, 0, 0, 0] + attributes(Self.fileNode))
        case 3, 4: return .words([3600, 0, 0, 0] + attributes(request.node))  // GETATTR, SETATTR (of times)
        case 14: return .words([0, 0, caching == .none ? 1 : 0, 0])  // OPEN; FOPEN_DIRECT_IO
        case 15, 16, 20: return transfer(request)  // READ, WRITE, FSYNC
        case 17: return .words([UInt32](repeating: 0, count: 20))  // STATFS
        case 18, 25: return .bytes([])  // RELEASE; FLUSH, which is a close(2) and promises nothing
        case 26: return initial(request)  // INIT
        case 2, 36, 42: return .none  // FORGET, INTERRUPT, BATCH_FORGET
        default: return .error(ENOSYS)
        }
    }

    private func transfer(_ request: FuseRequest) -> FuseAnswer {
        state.contents.withLock { contents in
            switch request.operation {
            case 15:
                var bytes: [UInt8] = []
                return contents.read(request.offset, request.size, into: &bytes).map { .error($0) } ?? .bytes(bytes)
            case 16:
                let error = contents.write(request.offset, request.data)
                return error.map { .error($0) } ?? .words([UInt32(request.size), 0])
            default: return FuseAnswer(contents.flush())
            }
        }
    }

    /// fuse_init_out: version, read-ahead, flags (FUSE_WRITEBACK_CACHE), requests at once, longest write, clock's step.
    private func initial(_ request: FuseRequest) -> FuseAnswer {
        let flags: UInt32 = caching == .writeBack ? 1 << 16 : 0
        let limits: [UInt32] = [8 | 8 << 16, UInt32(Self.longestWrite), 1]
        return .words([7, 31, 0, flags] + limits + [UInt32](repeating: 0, count: 9))
    }

    /// fuse_attr: inode, size, blocks, six times, mode, links, owner, device, block size, flags.
    private func attributes(_ node: UInt64) -> [UInt32] {
        let isFile = node == Self.fileNode
        let size = isFile ? UInt32(state.size) : 0
        return [UInt32(node), 0, size, 0, size / 512, 0] + [UInt32](repeating: 0, count: 9)
            + [isFile ? S_IFREG | 0o600 : S_IFDIR | 0o700, 1, getuid(), getgid(), 0, 4096, 0]
    }
}
