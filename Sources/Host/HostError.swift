// Why the host's operating system refused something: the call, what it was about, and errno.
//
// Read next: File.swift.

import Glibc

/// A system call that failed.
public struct HostError: Error, Equatable, Sendable {
    /// The call's name, such as "open".
    public let call: String
    /// What it was applied to: a path, usually.
    public let subject: String
    /// The positive errno.
    public let errno: Int32

    public init(_ call: String, _ subject: String, errno: Int32) {
        self.call = call
        self.subject = subject
        self.errno = errno
    }

    /// "image.elf: No such file or directory"
    public var message: String {
        let reason = errnoText(errno)
        return subject.isEmpty ? "\(call): \(reason)" : "\(subject): \(reason)"
    }
}

/// The system's words for an errno.
public func errnoText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
