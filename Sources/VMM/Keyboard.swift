// The keyboard under `--raw`: every key goes to the guest, but Ctrl-A starts a command to Swiftlet.
//
// The main thread reads the terminal and hands the keys on through a pipe, so that Ctrl-A x works even when the guest
// never reads. Read next: Supervisor.swift.

import Host

/// Takes Ctrl-A sequences out of a stream of keys: Ctrl-A x leaves, Ctrl-A Ctrl-A and Ctrl-A a are a Ctrl-A.
struct EscapeFilter {
    private var escaped = false
    private(set) var wantsToLeave = false

    private static let controlA: UInt8 = 1

    /// The keys that are the guest's.
    mutating func filter(_ keys: [UInt8]) -> [UInt8] {
        var passed: [UInt8] = []
        for key in keys {
            if escaped {
                escaped = false
                switch key {
                case UInt8(ascii: "x"), UInt8(ascii: "X"): wantsToLeave = true
                case UInt8(ascii: "a"), Self.controlA: passed.append(Self.controlA)
                default: passed += [Self.controlA, key]
                }
            } else if key == Self.controlA {
                escaped = true
            } else {
                passed.append(key)
            }
        }
        return passed
    }
}

/// The terminal's keys on their way to the guest.
public struct Keyboard: ~Copyable {
    private let terminal: Int32
    private var pipe: Pipe
    private var filter = EscapeFilter()
    private var isAtEnd = false

    public init(terminal: Int32) throws(HostError) {
        self.terminal = terminal
        pipe = try Pipe()
    }

    /// What the guest's console reads from.
    public var input: Int32 { pipe.reader }

    /// What the main thread waits for; nil after the end of input.
    var keys: WaitFor? { isAtEnd ? nil : WaitFor(terminal) }

    /// Moves what was typed; true when Ctrl-A x was.
    mutating func pump() -> Bool {
        guard let keys = readAvailable(terminal, 256) else { return false }
        if keys.isEmpty {
            isAtEnd = true
            pipe.closeWriter()
        }
        pipe.write(filter.filter(keys))
        return filter.wantsToLeave
    }
}
