// Which files there are: paths by pattern, as a shell finds them, which one a path means, and whether it can be written.
//
// Read next: Thread.swift.

import Glibc

/// The paths that a glob(7) pattern matches, sorted; none when nothing does or a folder cannot be read.
public func paths(matching pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    if unsafe glob(pattern, 0, nil, &found) != 0 { return [] }
    return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
        guard let path = unsafe found.gl_pathv[index] else { return nil }
        return unsafe String(cString: path)
    }
}

/// A path as it is from any folder, links followed; itself where nothing is there (realpath(3)).
public func absolutePath(_ path: String) -> String {
    guard let resolved = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
}

/// Which file a path means, whatever it is called there: links of both kinds are one file, and all nodes of one block device.
public struct PathTarget: Equatable, Sendable {
    private let (device, inode): (UInt, UInt)
    /// Of a file that is not there yet: the folder's identity is the rest of it.
    private let name: String?

    /// Nil for what cannot be overwritten, such as a terminal or a pipe, and for a path that leads nowhere.
    public init?(_ path: String) {
        var status = stat()
        name = unsafe stat(path, &status) == 0 ? nil : path.split(separator: "/").last.map(String.init)
        if name != nil, unsafe stat(Host.folder(of: path), &status) != 0 { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: (device, inode) = (UInt(status.st_dev), UInt(status.st_ino))
        case S_IFDIR where name != nil: (device, inode) = (UInt(status.st_dev), UInt(status.st_ino))
        case S_IFBLK: (device, inode) = (UInt(status.st_rdev), 0)
        default: return nil
        }
    }
}

/// The folder that a path's last name is in, as the path has it.
public func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Throws why a file that is written only later could not be: one that is there, or one to be made. It is not opened, and
/// none is made. `subject` is what the error names.
public func checkWritable(_ path: String, for subject: String) throws(HostError) {
    switch refusal(path, W_OK) {
    case 0: try refuseFolder(path, subject)
    case ENOENT: try checkFolder(folder(of: path), for: subject)
    case let reason: throw HostError("open", subject, errno: reason)
    }
}

/// Throws why a file that another will take the place of could not be: its folder must be open to us, whatever rights it has
/// itself; and a device, a pipe or a socket is not for a file to take the place of.
public func checkReplaceable(_ path: String, for subject: String) throws(HostError) {
    try refuseFolder(path, subject)
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        throw HostError("open", "\(subject), which is no regular file", errno: EINVAL)
    }
    try checkFolder(folder(of: path), for: subject)
}

/// Throws why nothing could be made in a folder.
public func checkFolder(_ folder: String, for subject: String) throws(HostError) {
    let reason = refusal(folder + "/", W_OK | X_OK)
    if reason != 0 { throw HostError("open", subject, errno: reason) }
}

private func refuseFolder(_ path: String, _ subject: String) throws(HostError) {
    if refusal(path + "/", F_OK) == 0 { throw HostError("open", subject, errno: EISDIR) }
}

/// Errno, or 0 (access(2), but of the rights that open(2) looks at).
private func refusal(_ path: String, _ access: Int32) -> Int32 {
    unsafe faccessat(AT_FDCWD, path, access, AT_EACCESS) == 0 ? 0 : errno
}

/// The names in a folder, in no order; none when it cannot be read.
public func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        // Sound: d_name ends with a NUL within the entry, which stays until the next readdir.
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        names.append(name)
    }
    return names
}
