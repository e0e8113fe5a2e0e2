// Raw mode: every key goes to the guest. The terminal is put back on every way out that Swiftlet is asked to take; after
// SIGKILL `stty sane` does.
//
// Read next: Console.swift.

import CHost
import Glibc

/// A terminal in raw mode, or `keepsSignals`, where only keys come at once; restored when this goes out of scope.
public struct RawTerminal: ~Copyable {
    private let fd: Int32
    private let saved: termios

    /// Nil when `fd` is no terminal.
    public init?(_ fd: Int32, keepsSignals: Bool = false) {
        var settings = termios()
        if unsafe tcgetattr(fd, &settings) != 0 { return nil }
        self.fd = fd
        saved = settings
        if keepsSignals { settings.c_lflag &= ~tcflag_t(ICANON | ECHO) } else { unsafe cfmakeraw(&settings) }
        settings.c_oflag |= tcflag_t(OPOST)  // the guest writes \n: the terminal still makes \r\n of it
        // TCSANOW: waiting for output to drain could take for ever with a terminal that nobody reads.
        unsafe tcsetattr(fd, TCSANOW, &settings)
    }

    deinit {
        var settings = saved
        // A hung-up or background terminal refuses or stops us; there is nothing left to put right then.
        signal(SIGTTOU, SIG_IGN)
        unsafe tcsetattr(fd, TCSANOW, &settings)
    }
}

public func isTerminal(_ fd: Int32) -> Bool { isatty(fd) == 1 }
