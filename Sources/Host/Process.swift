// Our own process: how it becomes another program, and how it ends.
//
// Read next: swiftlet/Program.swift.

import CHost
import Glibc

/// Has all threads allocate from one heap. A second one, made at a thread's first allocation or release, costs four system
/// calls and 128 MiB of address space; our threads allocate next to nothing.
public func useOneHeap() { chost_use_one_heap() }

/// Ends the process without running atexit handlers: the kernel frees everything, the VM included.
public func exitProcess(_ status: Int32) -> Never { _exit(status) }

/// Whether our caller gave us this descriptor; to be asked before we open anything.
public func isOpenDescriptor(_ fd: Int32) -> Bool { chost_is_open(fd) != 0 }

/// The descriptor that an environment variable names; nil without one, or when it is no number.
public func descriptorFromEnvironment(_ name: StaticString) -> Int32? {
    // A StaticString lies in memory as C wants it; a String would be copied into an array, a program's first (60 us).
    let text = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    guard let value = unsafe getenv(text) else { return nil }
    return unsafe Int32(String(cString: value))
}

/// Keeps descriptors 0 to 2 from being given to something else when the caller closed them: before anything is opened.
///
/// A closed standard input is at its end; what is written to a closed standard output fails with EBADF, as it should.
public func reserveStandardDescriptors() {
    for fd in STDIN_FILENO...STDERR_FILENO where chost_is_open(fd) == 0 {
        _ = unsafe open("/dev/null", O_RDONLY)  // and kept open for a subcommand's program
    }
}

/// Becomes the program `name`, from the folder of our own executable or else from PATH. Returns only on failure: why.
public func execute(_ name: String, _ arguments: [String]) -> String {
    var argv: [UnsafeMutablePointer<CChar>?] = unsafe ([name] + arguments).map { unsafe strdup($0) }
    unsafe argv.append(nil)
    if let folder = ownFolder() { unsafe execv("\(folder)/\(name)", argv) }
    unsafe execvp(name, argv)
    let reason = errnoText(errno)
    unsafe argv.forEach { unsafe free($0) }
    return reason
}

/// Where our executable lies, symbolic links resolved.
public func ownFolder() -> String? {
    guard let path = linkTarget("/proc/self/exe"), let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
        return nil
    }
    return String(path[..<slash])
}

/// Where a symbolic link leads; nil when it is none.
public func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe readlink(path, &buffer, buffer.count)
    return length > 0 ? String(decoding: buffer[..<length], as: UTF8.self) : nil
}
