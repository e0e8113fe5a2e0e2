// The file behind `--backing file:PATH`: made, or taken over when it is exactly as long as the machine's memory.
//
// A file that exists is somebody's: another size is refused, the right size (or one that memory may grow to) is what an
// earlier run has left, and its content goes. Room on the disk is reserved before the guest starts, so that a full disk is an error now and not a
// SIGBUS later; a lock keeps two machines off one file. Read next: BusErrors.swift.

import CBacking
import Glibc
import Host

/// Opens, empties and reserves it; one that exists must be as long as that, or longer by what memory may grow.
func openMemoryFile(_ path: String, size: UInt64, limit: UInt64) throws(BackingError) -> File {
    let made = unsafe path.withCString { unsafe cbacking_open($0, O_CREAT | O_EXCL) }
    if made >= 0 {
        let file = File(owning: Int32(made))
        _ = cbacking_lock(file.fd)
        do throws(BackingError) { try reserve(file, path, size) } catch {
            unsafe unlink(path)  // nobody's but ours, and of no use
            throw error
        }
        return file
    }
    let opened = unsafe path.withCString { unsafe cbacking_open($0, 0) }
    if opened < 0 { throw .call("open \(path)", errno: Int32(-(made == -Int(EEXIST) ? opened : made))) }
    let file = File(owning: Int32(opened))
    try takeOver(file, path, size, limit)
    return file
}

private func takeOver(_ file: borrowing File, _ path: String, _ size: UInt64, _ limit: UInt64) throws(BackingError) {
    var status = stat()
    if unsafe fstat(file.fd, &status) != 0 { throw .call("fstat", errno: errno) }
    if status.st_mode & S_IFMT != S_IFREG { throw .notRegular(path) }
    let length = UInt64(status.st_size)
    if length < size || length > max(size, limit) { throw .wrongSize(path, size: length, needed: size) }
    let locked = cbacking_lock(file.fd)
    if locked == -Int(EWOULDBLOCK) { throw .inUse(path) }
    if ftruncate(file.fd, 0) != 0 { throw .call("ftruncate", errno: errno) }
    try reserve(file, path, size)
}

/// Makes the file longer, all of it on the disk. posix_fallocate(3) writes where the file system cannot reserve.
func reserve(_ file: borrowing File, _ path: String, _ size: UInt64) throws(BackingError) {
    let failure = posix_fallocate(file.fd, 0, off_t(size))
    if failure != 0 { throw .noRoom(path, needed: size, errno: failure) }
}
