// Files without a name, pipes and terminals for tests: owned, so that a test which fails leaves nothing behind.
//
// Read next: any test.

import Glibc
import GuestCases
import Host

/// A file that has no name any more, with some content.
public struct AnonymousFile: ~Copyable {
    public let fd: Int32
    public let size: UInt64

    public init(_ content: [UInt8]) {
        guard let file = try? TemporaryName.file() else { preconditionFailure("mkstemp") }
        fd = file.fd
        unlink(file.path)
        size = UInt64(content.count)
        precondition(write(fd, content, content.count) == content.count)
    }

    deinit { close(fd) }

    /// Somebody else shortens the file.
    public func shorten(to size: Int) { precondition(ftruncate(fd, off_t(size)) == 0) }
}

/// A folder that is removed with everything in it.
public final class ScratchFolder: Sendable {
    public let path: String

    public init() {
        guard let folder = try? TemporaryName.folder() else { preconditionFailure("mkdtemp") }
        path = folder
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink("\(path)/\(name)")
        }
        closedir(folder)
        rmdir(path)
    }

    /// Writes a file; its path.
    public func file(_ name: String, _ content: [UInt8]) throws -> String {
        let file = try File("\(path)/\(name)", .create)
        try file.write(content, at: 0)
        return "\(path)/\(name)"
    }
}

/// Both ends of a pipe(2), blocking as a shell's are. An end that was closed is -1.
public final class BlockingPipe: @unchecked Sendable {
    public private(set) var reader: Int32
    public private(set) var writer: Int32

    public init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0)
        (reader, writer) = (ends[0], ends[1])
    }

    deinit {
        closeReader()
        closeWriter()
    }

    public func closeReader() {
        if reader >= 0 { close(reader) }
        reader = -1
    }

    public func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }

    public func write(_ text: String) {
        precondition(Glibc.write(writer, text, text.utf8.count) == text.utf8.count)
    }

    /// What it holds, at most 64 KiB.
    public func readBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = read(reader, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    public func readText() -> String { String(decoding: readBytes(), as: UTF8.self) }

    /// Nothing more fits in; the bytes that did.
    public func fill() -> Int {
        let flags = fcntl(writer, F_GETFL)
        _ = fcntl(writer, F_SETFL, flags | O_NONBLOCK)
        defer { _ = fcntl(writer, F_SETFL, flags) }
        let chunk = [UInt8](repeating: 0x2e, count: 4096)
        var total = 0
        while true {
            let written = Glibc.write(writer, chunk, chunk.count)
            if written <= 0 { return total }
            total += written
        }
    }
}

/// A pseudo-terminal: the test sits at the keyboard.
public struct PseudoTerminal: ~Copyable {
    /// The keyboard's and screen's side.
    public let keyboard: Int32
    /// The program's side.
    public let line: Int32

    /// By /dev/ptmx and its ioctls (ioctl_tty(2)): Swift does not see posix_openpt and its kin.
    public init() {
        keyboard = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: Int32 = 0
        precondition(ioctl(keyboard, 0x4004_5431, &unlocked) == 0)  // TIOCSPTLCK
        precondition(ioctl(keyboard, 0x8004_5430, &number) == 0)  // TIOCGPTN
        line = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        precondition(line >= 0)
    }

    deinit {
        close(line)
        close(keyboard)
    }

    /// The terminal's settings: input, output, control and local flags.
    public var settings: [UInt32] {
        var settings = termios()
        tcgetattr(line, &settings)
        return [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag]
    }
}
