// The options of `swiftlet restore`: few, and parsed by hand.
//
// Read next: ../swiftlet-snapshot/SnapshotCommand.swift.

import Host
import VMM

/// A wrong command line; without a message, a wish for help.
struct RestoreUsageError: Error { let message: String? }

struct RestoreOptions {
    /// The snapshot.
    var file = ""
    var verifies = false
    var statistics: StatisticsTarget?
    var isSandboxed = true
    var configuration = Configuration(image: "")

    private static let table: [(name: String, value: String?, help: String)] = [
        ("--verify", nil, "check the content of memory too, before anything runs"),
        ("--timeout", "SECONDS", "stop the guest after that long, fractions allowed"),
        ("--raw", nil, "every key goes to the guest; Ctrl-A x leaves, Ctrl-A a is Ctrl-A"),
        ("--stats", nil, "what the run cost, on standard error; --stats=json, json:FILE or json:fd:N for scripts"),
        ("--explain", nil, "say each exit in a sentence; on standard error, or in --trace's FILE"),
        ("--trace", "FILE", "write every exit to FILE: JSON if it ends in .json, else text; - is standard error"),
        ("--profile", "FILE", "sample the guest's stack, for flame graphs; - is a table on standard error"),
        ("--profile-rate", "HZ", "samples a second, 1 to 10000 (default 1000)"),
        ("--quiet", nil, "no guest log lines, one line for a crash"),
        ("--core", "FILE", "write an ELF core that gdb opens when the guest crashes"),
        ("--snapshot", "FILE", "write a snapshot there at the guest's call or at SIGUSR2 (swiftlet snapshot PID)"),
        ("--snapshot-exit", nil, "end with the first snapshot; 125 without one"),
        (
            "--snapshot-incremental", nil,
            "behind the first, write only what has changed; FILE needs FILE.1, FILE.2, ... then"
        ),
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
            } else if value != nil, name != "--stats" {
                throw RestoreUsageError(message: "\(name) takes no value")
            }
            try set(name, value)
        }
        if file.isEmpty { throw RestoreUsageError(message: "no snapshot given") }
        if configuration.endsWithSnapshot || configuration.savesIncrements, configuration.snapshot == nil {
            throw RestoreUsageError(message: "--snapshot-exit and --snapshot-incremental need --snapshot FILE")
        }
        if statistics != nil { configuration.observation.statistics = true }
    }

    /// Not from the table: that would be made at every start.
    private static func valueKind(_ name: String) throws(RestoreUsageError) -> String? {
        switch name {
        case "--timeout": "SECONDS"
        case "--core", "--snapshot", "--trace", "--profile": "FILE"
        case "--profile-rate": "HZ"
        case "--verify", "--explain", "--raw", "--quiet", "--snapshot-exit", "--snapshot-incremental", "--no-sandbox",
            "--stats",
            "--help":
            nil
        default: throw RestoreUsageError(message: "unknown option '\(name)'")
        }
    }

    /// `value` is there when the option takes one; `--stats` may have one.
    private mutating func set(_ name: String, _ value: String?) throws(RestoreUsageError) {
        let text = value ?? ""
        switch name {
        case "--verify": verifies = true
        case "--timeout": configuration.timeout = try nanoseconds(text)
        case "--no-sandbox": isSandboxed = false
        case "--explain": configuration.observation.explain()
        case "--raw": configuration.raw = true
        case "--quiet": configuration.quiet = true
        case "--core": configuration.core = text
        case "--snapshot": configuration.snapshot = text
        case "--snapshot-exit": configuration.endsWithSnapshot = true
        case "--snapshot-incremental": configuration.savesIncrements = true
        case "--trace": configuration.observation.trace = text
        case "--profile": configuration.observation.profile = text
        case "--profile-rate": configuration.observation.profileRate = try rate(text)
        case "--stats":
            do throws(StatisticsTargetError) { statistics = try StatisticsTarget(value) } catch {
                throw RestoreUsageError(message: error.message)
            }
        default: throw RestoreUsageError(message: nil)
        }
    }

    private func rate(_ text: String) throws(RestoreUsageError) -> UInt64 {
        guard let rate = UInt64(text), (1...10_000).contains(rate) else {
            throw RestoreUsageError(message: "--profile-rate '\(text)': samples a second, 1 to 10000")
        }
        return rate
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
            return "  \(left)\(String(repeating: " ", count: max(1, 24 - left.utf8.count)))\(option.help)\n"
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
