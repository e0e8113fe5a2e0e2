// Terminals by their path: opened without blocking, asked for their size, told what it is.
//
// Opened by path one has a description of its own: that it does not block is not so for the shell that started us.
// Read next: AppendedFile.swift.

import CHost
import Glibc

/// A terminal for reading and writing, which never blocks and does not become ours.
public func openTerminal(_ path: String) throws(HostError) -> File {
    let result = unsafe path.withCString { unsafe chost_open_terminal($0) }
    if result < 0 { throw HostError("open", path, errno: Int32(-result)) }
    let file = File(owning: Int32(result))
    if !isTerminal(file.fd) { throw HostError("open", path, errno: ENOTTY) }
    return file
}

/// Nil where the terminal does not know, as a serial line.
public func terminalSize(_ fd: Int32) -> (rows: Int, columns: Int)? {
    var rows: UInt16 = 0
    var columns: UInt16 = 0
    let result = unsafe chost_get_size(fd, &rows, &columns)
    return result < 0 || rows == 0 || columns == 0 ? nil : (Int(rows), Int(columns))
}

/// Tells a terminal, and with SIGWINCH who runs on it.
public func setTerminalSize(_ fd: Int32, rows: Int, columns: Int) {
    _ = chost_set_size(fd, UInt16(clamping: rows), UInt16(clamping: columns))
}

/// The path of the terminal that a descriptor is; nil when it is none.
public func terminalPath(_ fd: Int32) -> String? {
    guard isTerminal(fd), let name = unsafe ttyname(fd) else { return nil }
    return unsafe String(cString: name)
}

/// Makes `fd` what `other` is; what it was is closed. The corresponding call is dup2(2).
public func replaceDescriptor(_ fd: Int32, by other: Int32) { _ = dup2(other, fd) }
