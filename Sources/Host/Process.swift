// Our own process: how it becomes another program, and how it ends.
//
// Read next: swiftlet/Program.swift.

import Glibc

/// Ends the process without running atexit handlers: the kernel frees everything, the VM included.
public func exitProcess(_ status: Int32) -> Never { _exit(status) }

/// Becomes the program `name`, from the folder of our own executable or else from PATH. Returns only on failure: why.
public func execute(_ name: String, _ arguments: [String]) -> String {
    var argv: [UnsafeMutablePointer<CChar>?] = unsafe ([name] + arguments).map { unsafe strdup($0) }
    unsafe argv.append(nil)
    if let folder = ownFolder() { unsafe execv("\(folder)/\(name)", argv) }
    unsafe execvp(name, argv)
    return errnoText(errno)
}

/// Where our executable lies, symbolic links resolved.
private func ownFolder() -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    guard length > 0, let slash = buffer[..<length].lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(decoding: buffer[..<slash], as: UTF8.self)
}
