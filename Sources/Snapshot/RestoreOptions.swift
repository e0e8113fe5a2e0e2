// The options of `swiftlet restore`: few, and parsed by hand.
//
// Read next: Sources/swiftlet-snapshot/main.swift.

import Host
import VMM

/// A wrong command line; without a message, a wish for help.
struct RestoreUsageError: Error { let message: String? }

struct RestoreOptions {
    /// The snapshot.
    var file = ""
    var verifies = false
    var isSandboxed = true
    var configuration = Configuration(image: "")

    private static let table: [(name: String, value: String?, help: String)] = [
        ("--verify", nil, "check the content of memory too, before anything runs"),
        ("--timeout", "SECONDS", "stop the guest after that long, fractions allowed"),
        ("--raw", nil, "every key goes to the guest; Ctrl-A x leaves, Ctrl-A a is Ctrl-A"),
        ("--quiet", nil, "no guest log lines, one line for a crash"),
        ("--core", "FILE", "write an ELF core that gdb opens when the guest crashes"),
        ("--snapshot", "FILE", "write a snapshot there at the guest's call or at SIGUSR2 (swiftlet snapshot PID)"),
        ("--snapshot-exit", nil, "end with the first snapshot"),
        ("--no-sandbox", nil, "keep all rights of this process while the guest runs: for debugging"),
        ("--help", nil, "this text"),
    ]

    init(_ arguments: Slice<Arguments>) throws(RestoreUsageError) {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            guard argument.utf8.first == UInt8(ascii: "-") else {
                if !file.isEmpty { throw RestoreUsageError(message: "one snapshot at a time, not also '\(argument)'") }
                file = argument
                continue
            }
            var (name, value) = (argument, String?.none)
            if let equals = argument.firstIndex(of: "=") {
                (name, value) = (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
            }
            if name == "-h" { throw RestoreUsageError(message: nil) }
            if let kind = try Self.valueKind(name) {
                value = value ?? arguments.next()
                if value ?? "" == "" { throw RestoreUsageError(message: "\(name) needs a value: \(kind)") }
            } else if value != nil {
                throw RestoreUsageError(message: "\(name) takes no value")
            }
            try set(name, value ?? "")
        }
        if file.isEmpty { throw RestoreUsageError(message: "no snapshot given") }
        if configuration.core == file { throw RestoreUsageError(message: "--core would overwrite the snapshot") }
        if configuration.endsWithSnapshot, configuration.snapshot == nil {
            throw RestoreUsageError(message: "--snapshot-exit needs --snapshot FILE")
        }
    }

    /// Not from the table: that would be made at every start.
    private static func valueKind(_ name: String) throws(RestoreUsageError) -> String? {
        switch name {
        case "--timeout": "SECONDS"
        case "--core", "--snapshot": "FILE"
        case "--verify", "--raw", "--quiet", "--snapshot-exit", "--no-sandbox", "--help": nil
        default: throw RestoreUsageError(message: "unknown option '\(name)'")
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(RestoreUsageError) {
        switch name {
        case "--verify": verifies = true
        case "--timeout": configuration.timeout = try nanoseconds(value)
        case "--no-sandbox": isSandboxed = false
        case "--raw": configuration.raw = true
        case "--quiet": configuration.quiet = true
        case "--core": configuration.core = value
        case "--snapshot": configuration.snapshot = value
        case "--snapshot-exit": configuration.endsWithSnapshot = true
        default: throw RestoreUsageError(message: nil)
        }
    }

    private func nanoseconds(_ text: String) throws(RestoreUsageError) -> UInt64 {
        let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
        guard isDecimal, let seconds = Double(text), seconds > 0, seconds <= 31_536_000 else {
            throw RestoreUsageError(message: "--timeout '\(text)': seconds above 0 and up to a year (31536000)")
        }
        return UInt64(seconds * 1e9)
    }

    static var help: String {
        let rows = table.map { option in
            let left = option.name + (option.value.map { " \($0)" } ?? "")
            return "  \(left)\(String(repeating: " ", count: max(1, 20 - left.utf8.count)))\(option.help)\n"
        }
        return """
            Go on with a guest that was saved, with its console on standard input and output.

            Usage: swiftlet restore [OPTIONS] SNAPSHOT

            The snapshot's file is mapped, copy-on-write: it must stay as it is while the guest runs.

            \(rows.joined())
            Exit status: as of 'swiftlet run'; 125 for a snapshot that is damaged, foreign, newer, or not for this host.

            """
    }
}
