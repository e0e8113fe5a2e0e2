// A disk: a file or a block device of the host, read and written in place, straight from and to guest memory.
//
// All state is the descriptor's, so several threads may use it at once. Offsets and lengths come from a guest: what does
// not lie inside the disk is refused here. Read next: UnflushedWrites.swift.

import CDevices
import Glibc
import Host
import Synchronization

/// An attached disk. The file is locked as long as this lives: for us alone, or, read-only, against writers.
public final class BlockDevice: Sendable {
    public let name: String
    public let path: String
    /// For a report: which disk.
    public var words: String { "the disk '\(name)' (\(path))" }
    /// Bytes; a multiple of `sectorSize`, and fixed: growing the file later changes nothing.
    public let capacity: UInt64
    /// Bytes, a power of two from 512 on. What a guest is told; transfers of any offset and length work.
    public let sectorSize: UInt64
    public let isReadOnly: Bool
    let file: File
    let unflushed = UnflushedWrites()
    private let queue: Mutex<BlockQueue?>

    /// `isQueued`: with a BlockQueue, where this host has them, for the ring that takes it.
    public init(_ option: BlockOption, isQueued: Bool = false) throws(DeviceError) {
        let path = option.path
        let kind = try Self.kind(path)
        let isDevice = kind == S_IFBLK
        guard isDevice || kind == S_IFREG else { throw .notAFile(path: path) }
        // On a block device O_EXCL means "not while it is mounted" (open(2)).
        let access = option.isReadOnly ? O_RDONLY : O_RDWR | (isDevice ? O_EXCL : 0)
        let opened = unsafe path.withCString { unsafe cdevices_open($0, access) }
        if opened < 0 { throw .file(path: path, call: "open", errno: Int32(-opened)) }
        let file = File(owning: Int32(opened))
        if isDevice, !option.isReadOnly, cdevices_is_read_only(file.fd) != 0 {
            throw .file(path: path, call: "open", errno: EROFS)
        }
        _ = cdevices_may_wait(file.fd)
        let locked = cdevices_lock(file.fd, option.isReadOnly ? 0 : 1)
        if locked == -Int(EAGAIN) || locked == -Int(EACCES) {
            throw .inUse(path: path, isReadOnly: option.isReadOnly)
        }
        if locked < 0 { throw .file(path: path, call: "lock", errno: Int32(-locked)) }
        let size = lseek(file.fd, 0, SEEK_END)
        if size < 0 { throw .notAFile(path: path) }  // in /proc, which says that it is one
        let capacity = UInt64(size)
        guard capacity >= option.sectorSize, capacity % option.sectorSize == 0 else {
            throw .badSize(name: option.name, path: path, size: capacity, sectorSize: option.sectorSize)
        }
        (name, self.path, self.capacity) = (option.name, path, capacity)
        (sectorSize, isReadOnly) = (option.sectorSize, option.isReadOnly)
        queue = Mutex(isQueued ? BlockQueue(file.fd, unflushed) : nil)
        self.file = file
    }

    /// By hand: the kernel may hold the file a little longer than we, for an operation of the queue's that it has answered.
    deinit { cdevices_unlock(file.fd) }

    /// The queue, for the first that asks: it is for one thread.
    public func takeQueue() -> BlockQueue? {
        queue.withLock { $0.take() }
    }

    /// Whether somebody holds a lock on a file or a block device: another machine whose disk it is, for instance.
    public static func isLocked(_ path: String) -> Bool {
        guard let kind = try? kind(path), kind == S_IFREG || kind == S_IFBLK else { return false }
        let opened = unsafe path.withCString { unsafe cdevices_open($0, O_RDONLY) }
        if opened < 0 { return false }
        defer { close(Int32(opened)) }
        return cdevices_is_locked(Int32(opened)) != 0
    }

    /// Looked at before it is opened: opening some devices does something.
    private static func kind(_ path: String) throws(DeviceError) -> mode_t {
        var status = stat()
        if unsafe stat(path, &status) != 0 { throw .file(path: path, call: "open", errno: errno) }
        return status.st_mode & S_IFMT
    }

    /// Whether a range lies inside the disk. No sum is formed that could wrap.
    @inlinable
    public func contains(_ offset: UInt64, _ length: UInt64) -> Bool {
        offset <= capacity && length <= capacity &- offset
    }
}

/// How an operation on a disk ended.
public enum BlockResult: Equatable, Sendable {
    /// All of it was done.
    case done
    /// A signal came first; an unknown part was done. Look for a stop, then do all of it again.
    case interrupted
    /// It does not lie inside the disk. Nothing was done.
    case outOfRange
    /// A write to a disk that was attached read-only. Nothing was done.
    case readOnly
    /// The host's disk failed (EIO, ENOSPC, ...); an unknown part was done.
    case failed(errno: Int32)
}
