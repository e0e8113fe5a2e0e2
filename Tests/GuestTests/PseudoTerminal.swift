// A pseudo-terminal: the test is the person at the keyboard.
//
// Read next: TerminalTests.swift.

import Foundation
import GuestCases
import Host

/// The keyboard's and screen's side. A class, because #expect copies what it looks at.
final class PseudoTerminal {
    private var keyboard: Int32
    /// Held open, so that settings can be read after the program is gone.
    private let line: Int32
    /// The path that a program opens.
    let path: String

    /// By /dev/ptmx and its ioctls (ioctl_tty(2)): Swift does not see posix_openpt and its kin.
    init() throws {
        keyboard = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: Int32 = 0
        guard unsafe ioctl(keyboard, setLock, &unlocked) == 0, unsafe ioctl(keyboard, getNumber, &number) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
        path = "/dev/pts/\(number)"
        line = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    }

    deinit {
        close(keyboard)
        close(line)
    }

    /// The person goes away.
    func hangUp() {
        close(keyboard)
        keyboard = -1
    }

    /// Starts `swiftlet run` with this as its controlling terminal, standard input and standard output.
    func run(_ arguments: [String]) throws -> Child {
        try House.run(arguments, input: .terminal(path), output: .terminal(path))
    }

    func type(_ keys: String) {
        _ = unsafe write(keyboard, keys, keys.utf8.count)
    }

    /// Reads the screen until a text is on it, for at most ten seconds.
    func shows(_ text: String) -> Bool {
        var screen: [UInt8] = []
        var poll = pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)
        while !screen.contains(text: text) {
            guard unsafe Foundation.poll(&poll, 1, 10_000) == 1 else { return false }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(keyboard, &chunk, 4096)
            if count <= 0 { return false }
            screen += chunk.prefix(count)
        }
        return true
    }

    /// What came to the screen within so many milliseconds; empty when nothing did.
    func output(milliseconds: Int32) -> [UInt8] {
        var poll = pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)
        guard unsafe Foundation.poll(&poll, 1, milliseconds) == 1 else { return [] }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(keyboard, &chunk, 4096)
        return Array(chunk.prefix(max(0, count)))
    }

    /// Whoever runs on it gets SIGWINCH.
    func resize(rows: Int, columns: Int) { setTerminalSize(keyboard, rows: rows, columns: columns) }

    /// The terminal's settings, to compare.
    var settings: [UInt32] {
        var settings = termios()
        unsafe tcgetattr(line, &settings)
        return [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag]
    }

    /// For at most ten seconds.
    func waitUntilRaw() {
        for _ in 0..<10_000 where settings[3] & UInt32(ICANON | ISIG | ECHO) != 0 { usleep(1000) }
    }
}

/// TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>.
private let setLock: UInt = 0x4004_5431
private let getNumber: UInt = 0x8004_5430
