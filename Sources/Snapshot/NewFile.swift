// A file that appears whole or not at all: written under another name beside the old one, then renamed over it.
//
// Whoever is killed meanwhile, by kill -9 or a power failure, leaves the old file; the rename is atomic (rename(2)), and
// comes after the content is on the disk. Read next: Saving.swift.

import CSnapshot
import Glibc
import Host

/// A new file that has not taken its name yet; removed unless `publish` was called.
struct NewFile: ~Copyable {
    let file: File
    private let path: String
    private let temporary: String
    private var isPublished = false

    init(_ path: String) throws(SnapshotError) {
        let temporary = "\(path).\(getpid()).new"
        var result = unsafe csnapshot_create(temporary)
        if result == Int(-EEXIST) {  // of an earlier process with our id
            unsafe unlink(temporary)
            result = unsafe csnapshot_create(temporary)
        }
        if result < 0 { throw .host(HostError("open", temporary, errno: Int32(-result))) }
        file = File(owning: Int32(result))
        self.path = path
        self.temporary = temporary
    }

    deinit {
        if !isPublished { unsafe unlink(temporary) }
    }

    /// Brings the content to the disk, then the name.
    mutating func publish() throws(SnapshotError) {
        if fsync(file.fd) != 0 { throw .host(HostError("fsync", temporary, errno: errno)) }
        if unsafe rename(temporary, path) != 0 { throw .host(HostError("rename", path, errno: errno)) }
        isPublished = true
        // The new file is there whatever comes of this: only a power failure could still bring back the old one.
        bringFolderToDisk(of: path)
    }
}

/// Has a file's name outlive a power failure.
func bringFolderToDisk(of path: String) {
    do throws(HostError) { fsync(try File(folder(of: path), .read).fd) } catch {}
}
