// The options of `swiftlet run`: one table, from which parsing, help, completions and the man page are made.
//
// Read next: RunCommand.swift.

import Backing
import Debugger
import Deprivileged
import Host
import Snapshot
import VMM

/// One option: its name, the name of its value if it takes one, and a line of help.
struct Option {
    let name: String
    let value: String?
    let help: String

    /// For help and completions. Parsing asks one table after the other: to make one of both would cost each start with an
    /// option 40,000 instructions.
    static var all: [Option] { general + kernels + debugger }

    static func named(_ name: String) -> Option? {
        general.first { $0.name == name } ?? kernels.first { $0.name == name }
            ?? debugger.first { $0.name == name }
    }

    private static let general = [
        Option(name: "--mem", value: "SIZE", help: "guest memory: 64M, 2G, a bare number is MiB (default 64M)"),
        Option(name: "--mem-max", value: "SIZE", help: "what the guest may ask for in all, by grow calls, up to 1T"),
        Option(
            name: "--backing", value: "KIND",
            help: "memory of anon (default), thp, memfd, hugetlb, or file:PATH; that file is made, or emptied when it "
                + "is as long as --mem"),
        Option(
            name: "--map-image", value: nil,
            help: "map large read-only segments from IMAGE instead of copying them; it must not change meanwhile"),
        Option(
            name: "--prefault", value: nil,
            help: "populate memory before the guest starts; --prefault=N with N threads instead of one on each CPU"),
        Option(name: "--timeout", value: "SECONDS", help: "stop the guest after that long, fractions allowed"),
        Option(
            name: "--module", value: "FILE",
            help: "put a data file into guest memory, named in boot info; a Multiboot or PVH kernel takes several, and "
                + "FILE,TEXT"),
        Option(
            name: "--ring", value: "RING",
            help: "where an image for ring 0 runs: 0, 3, or auto (default): 3 where this host emulates ring 0"),
        Option(
            name: "--block", value: "NAME=PATH[,ro]",
            help:
                "a disk: a file or block device, for IMAGE's NAME; ,ro never writes to it; ,sector=N: the guest "
                + "sees sectors of N bytes"),
        Option(
            name: "--net", value: "NAME=tap[:IFACE]",
            help:
                "a network, for IMAGE's NAME: a tap of this host, or a new one; bridge:BRIDGE a new one in "
                + "it; ,mac=xx:xx:xx:xx:xx:xx is its address"),
        Option(name: "--raw", value: nil, help: "every key goes to the guest; Ctrl-A x leaves, Ctrl-A a is Ctrl-A"),
        Option(
            name: "--stats", value: nil,
            help:
                "at the end, phases and the cost of each exit on standard error; --stats=json for scripts, --stats=json:FILE "
                + "or --stats=json:fd:N elsewhere"),
        Option(
            name: "--trace", value: "FILE",
            help: "write every exit to FILE: JSON for Perfetto if it ends in .json, else text; - is standard error"),
        Option(
            name: "--explain", value: nil,
            help:
                "say each exit in a sentence: what happened, who dealt with it, what it cost; on standard error, or with --trace in its FILE"
        ),
        Option(
            name: "--profile", value: "FILE",
            help: "sample the guest's stack, collapsed for flame graphs; - is a table on standard error"),
        Option(name: "--profile-rate", value: "HZ", help: "samples a second, 1 to 10000 (default 1000)"),
        Option(name: "--quiet", value: nil, help: "no guest log lines, one line for a crash"),
        Option(name: "--core", value: "FILE", help: "write an ELF core that gdb opens when the guest crashes"),
        Option(
            name: "--snapshot", value: "FILE",
            help: "write a snapshot there at the guest's call or at SIGUSR2 (swiftlet snapshot PID)"),
        Option(name: "--snapshot-exit", value: nil, help: "end with the first snapshot; 125 without one"),
        Option(
            name: "--snapshot-incremental", value: nil,
            help: "behind the first, write only what has changed; FILE needs FILE.1, FILE.2, ... then"),
        Option(
            name: "--no-sandbox", value: nil,
            help: "keep all rights of this process while the guest runs: for debugging, and for valgrind or strace"),
        Option(name: "--help", value: nil, help: "this text"),
    ]
}

/// A parsed command line.
struct RunOptions {
    var configuration: Configuration
    var statistics: StatisticsTarget?
    var isSandboxed = true
    var debugger: DebuggerAddress?
    var narration = NarrationWish()

    /// Options come before IMAGE; everything after it is the guest's. Throws what is wrong, in words.
    init(_ arguments: some Sequence<String>) throws(UsageError) {
        configuration = Configuration(image: "")
        var arguments = arguments.makeIterator()
        var next = arguments.next()
        while let argument = next, argument.utf8.first == UInt8(ascii: "-"), argument != "--" {
            var (name, value) = split(argument)
            if name == "-h" { throw UsageError(nil) }
            guard let option = Option.named(name) else {
                throw UsageError("unknown option '\(name)'")
            }
            if let kind = option.value, value == nil {
                value = arguments.next()
                if value == nil { throw UsageError("\(name) needs a value: \(kind)") }
            }
            if option.value != nil, value == "" { throw UsageError("\(name) needs a value that is not empty") }
            try set(name, value)
            next = arguments.next()
        }
        if next == "--" { next = arguments.next() }
        guard let image = next, !image.isEmpty else { throw UsageError("no image given") }
        configuration.image = image
        while let argument = arguments.next() { configuration.append(argument: argument) }
        if statistics != nil { configuration.observation.statistics = true }
        if configuration.endsWithSnapshot || configuration.savesIncrements, configuration.snapshot == nil {
            throw UsageError("--snapshot-exit and --snapshot-incremental need --snapshot FILE")
        }
        try checkDevices()
        try checkDebugger()
        if configuration.mapsImage, configuration.backing != .anonymous {
            throw UsageError("--map-image needs --backing anon")
        }
        if let conflict = configuration.overwriting(statistics) { throw UsageError(conflict) }
    }

    private mutating func set(_ name: String, _ value: String?) throws(UsageError) {
        switch name {
        case "--mem": configuration.memorySize = try memorySize(value ?? "", name)
        case "--mem-max": configuration.memoryMaximum = try memorySize(value ?? "", name)
        case "--backing": configuration.backing = try known(Backing(value ?? ""), "--backing: \(Backing.usage)")
        case "--prefault":
            configuration.prefaultThreads = try known(Prefault.threads(value), "--prefault: \(Prefault.usage)")
        case "--timeout": configuration.timeout = try nanoseconds(value ?? "")
        case "--ring": configuration.ring = try known(Ring(rawValue: value ?? ""), "--ring: \(Ring.usage)")
        case "--module": addModule(value ?? "")
        case "--boot", "--initrd", "--append", "--cpus", "--cpu", "--identity", "--fw-cfg":
            try setKernel(name, value ?? "")
        case "--block", "--net": try attach(value ?? "", isDisk: name == "--block")
        case "--gdb", "--step", "--step-from", "--slow": try setDebugger(name, value)
        case "--core": configuration.core = value
        case "--trace": configuration.observation.trace = value
        case "--profile": configuration.observation.profile = value
        case "--profile-rate": configuration.observation.profileRate = try rate(value ?? "")
        case "--snapshot": configuration.snapshot = value
        case "--stats":
            do throws(StatisticsTargetError) { statistics = try StatisticsTarget(value) } catch {
                throw UsageError(error.message)
            }
        default:
            if value != nil { throw UsageError("\(name) takes no value") }
            switch name {
            case "--map-image": configuration.mapsImage = true
            case "--no-sandbox": isSandboxed = false
            case "--explain": configuration.observation.explain()
            case "--raw": configuration.raw = true
            case "--irqchip": configuration.kernel.hasInterrupts = true
            case "--virtio-console": configuration.kernel.hasConsole = true
            case "--test-device": configuration.kernel.hasTestDevice = true
            case "--quiet": configuration.quiet = true
            case "--snapshot-exit": configuration.endsWithSnapshot = true
            case "--snapshot-incremental": configuration.savesIncrements = true
            default: throw UsageError(nil)
            }
        }
    }
}

/// A wrong command line; without a message, a wish for help.
struct UsageError: Error {
    let message: String?
    init(_ message: String?) { self.message = message }
}

private func split(_ argument: String) -> (String, String?) {
    guard let equals = argument.firstIndex(of: "=") else { return (argument, nil) }
    return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
}

func memorySize(_ text: String, _ name: String = "--mem") throws(UsageError) -> UInt64 {
    do throws(MemorySizeError) { return try MemorySize.parse(text) } catch {
        throw UsageError("\(name) \(error.message)")
    }
}

/// What a module below has made of an option's value.
func known<T>(_ value: T?, _ usage: String) throws(UsageError) -> T {
    guard let value else { throw UsageError(usage) }
    return value
}

/// Seconds with an optional fraction, in nanoseconds; up to a year.
func nanoseconds(_ text: String) throws(UsageError) -> UInt64 {
    let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
    guard isDecimal, let seconds = Double(text), seconds > 0, seconds <= 31_536_000 else {
        throw UsageError("--timeout '\(text)': seconds above 0 and up to a year (31536000), such as 10 or 0.5")
    }
    return UInt64(seconds * 1e9)
}

/// Samples a second. A kick costs tens of microseconds on a software KVM: more of them would leave little of the guest.
func rate(_ text: String) throws(UsageError) -> UInt64 {
    guard let rate = UInt64(text), (1...10_000).contains(rate) else {
        throw UsageError("--profile-rate '\(text)': samples a second, 1 to 10000")
    }
    return rate
}
