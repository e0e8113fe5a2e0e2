// Which files there are: paths by pattern, as a shell finds them, and which one a path means.
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
