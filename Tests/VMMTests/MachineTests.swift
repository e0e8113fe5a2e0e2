// Whole machines in this process, from an image to an outcome: what swiftlet run does, without the program.
//
// Read next: CoreDumpTests.swift.

import Boot
import CABI
import Glibc
import Host
import KVM
import Synchronization
import TestSupport
import Testing
import X86

@testable import VMM

/// A machine that has run.
final class RunMachine: Sendable {
    let machine: Machine
    let outcome: Outcome
    let phases: Phases

    /// Runs on a thread of its own, whose signal mask is its own. `signal` arrives before the guest starts.
    init(_ configuration: Configuration, console: Console = Console(input: -1, output: -1), signal: Int32? = nil) throws
    {
        let result = Mutex<Result<(Machine, Outcome, Phases), MachineError>?>(nil)
        let box = Box(result)
        let thread = try Thread {
            let run = Result<(Machine, Outcome, Phases), MachineError> { () throws(MachineError) in
                let signals = try blockStopSignals()
                if let signal { pthread_kill(pthread_self(), signal) }
                var phases = Phases(start: Clock.monotonic())
                let machine = try Machine(configuration, console: console, phases: &phases)
                return (machine, try machine.run(signals: signals), phases)
            }
            box.result.withLock { $0 = run }
        }
        thread.join()
        let run = box.result.withLock { $0 }
        guard let (machine, outcome, phases) = try run?.get() else {
            throw MachineError.host(HostError("", "", errno: 0))
        }
        (self.machine, self.outcome, self.phases) = (machine, outcome, phases)
    }

    private final class Box: Sendable {
        let result: Mutex<Result<(Machine, Outcome, Phases), MachineError>?>
        init(_ result: consuming Mutex<Result<(Machine, Outcome, Phases), MachineError>?>) { self.result = result }
    }

    /// The crash that ended it.
    var crash: Crash? {
        if case .crashed(let crash) = outcome.stop { crash } else { nil }
    }

    var report: String { crash.map { machine.report($0) } ?? "" }
}

@Suite(.requiresKVM) struct MachineTests {
    private let folder = ScratchFolder()

    private func configuration(_ code: [UInt8], text: String = "") throws -> Configuration {
        var configuration = Configuration(image: try folder.file("guest.elf", GuestCode.image(code, text: text)))
        configuration.memorySize = 1 << 20
        return configuration
    }

    @Test(arguments: [0, 7, 255] as [UInt32])
    func guestsStatusIsTheOutcome(status: UInt32) throws {
        var configuration = try configuration(GuestCode.exit(status))
        configuration.observation.statistics = true
        let run = try RunMachine(configuration)
        #expect(run.outcome.stop.guestStatus == UInt8(status))
        let json = run.machine.statisticsJSON(run.outcome, run.phases, emptyRun: 60_000)
        #expect(
            json.hasPrefix(
                "{\"outcome\":\"exit\",\"status\":\(status),\"memory_bytes\":1048576,\"phases\":{\"image_ns\":"))
        #expect(json.contains("\"calls\":{\"exit\":1}"))
        let text = run.machine.statisticsText(run.outcome, run.phases, emptyRun: 60_000)
        #expect(text.hasPrefix("swiftlet: phases\n  image  ") && text.contains("\n  exit    "))
    }

    @Test func consoleIsTwoDescriptors() throws {
        let pipe = BlockingPipe()
        let code = GuestCode.write(0x4_1000, 6) + GuestCode.exit(0)
        let run = try RunMachine(
            try configuration(code, text: "hello\n"), console: Console(input: -1, output: pipe.writer))
        #expect(run.outcome.stop.exitStatus == 0)
        #expect(pipe.readText() == "hello\n")
    }

    @Test func moduleAndArgumentsReachTheGuest() throws {
        var configuration = try configuration(GuestCode.loadByte(bootInfo: 72) + GuestCode.exitWithRAX)
        configuration.module = try folder.file("module", [42, 1, 2])
        #expect(try RunMachine(configuration).outcome.stop.guestStatus == 42)
        configuration = try self.configuration(GuestCode.loadByte(bootInfo: 56) + GuestCode.exitWithRAX)
        configuration.append(argument: "!x")
        #expect(try RunMachine(configuration).outcome.stop.guestStatus == 0x21)
    }

    @Test(arguments: [GuestCode.spin, GuestCode.sleep])
    func timeLimitEndsIt(code: [UInt8]) throws {
        var configuration = try configuration(code)
        configuration.timeout = 20_000_000
        let run = try RunMachine(configuration)
        #expect(run.outcome.stop.kind == "timeout")
    }

    @Test(arguments: [GuestCode.spin, GuestCode.sleep], [SIGTERM, SIGINT])
    func signalEndsIt(code: [UInt8], signal: Int32) throws {
        let run = try RunMachine(try configuration(code), signal: signal)
        #expect(run.outcome.stop.exitStatus == 128 + signal)
        #expect(
            run.machine.statisticsJSON(run.outcome, run.phases, emptyRun: 60_000).contains(",\"signal\":\(signal),"))
    }

    @Test func crashIsReportedInFull() throws {
        let run = try RunMachine(try configuration([0x90, 0x0f, 0x0b]))
        #expect(run.outcome.stop.exitStatus == 126)
        let lines = run.report.split(separator: "\n").map(String.init)
        #expect(lines.first?.hasPrefix("guest crashed: invalid opcode (#UD, vector 6): ud2") == true)
        #expect(lines.contains("  rip 0x0000000000040001  ma.in+0x1"), "and its symbol controls no terminal")
        #expect(lines.last?.hasPrefix("  code at rip: 0f 0b 00 00") == true)
        #expect(lines.contains { $0.contains("rdi 0x0000000000010000") })
        #expect(run.machine.statisticsJSON(run.outcome, run.phases, emptyRun: 60_000).contains(",\"rip\":\"0x40001\","))
    }

    /// Page faults, ports, calls: what the headline says, and where RIP points, on every KVM alike.
    private static let crashes: [(code: [UInt8], rip: UInt64, words: String)] = [
        ([0x90, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0], 0x4_0001, "read of 0x0, which is not mapped (a null pointer)"),
        ([0xa3, 0, 0, 4, 0, 0, 0, 0, 0], 0x4_0000, "write to 0x40000, which is mapped read-only"),
        ([0x90, 0xee], 0x4_0001, "port 0x0, 1 byte: nobody owns this port"),
        ([0xe5, 0x60], 0x4_0000, "read of port 0x60, 4 bytes"),
        (GuestCode.exit(256), 0x4_0011, "misused call: exit: status 256"),
        (GuestCode.call(63), 0x4_0005, "misused call: unknown call 63"),
        ([0xf4], 0x4_0000, "hlt: "),
        ([0xe9, 0xfb, 0xff, 0xfb, 0xff], 0, "execution of 0x0, which is not mapped"),
    ]

    @Test(arguments: crashes.indices)
    func crashPointsAtItsInstruction(index: Int) throws {
        let (code, rip, words) = Self.crashes[index]
        let run = try RunMachine(try configuration(code))
        #expect(run.report.contains(words), "\(run.report)")
        #expect(run.crash?.registers.rip == rip)
    }

    @Test func quietReportIsOneLine() throws {
        var configuration = try configuration([0x0f, 0x0b])
        configuration.quiet = true
        #expect(try RunMachine(configuration).report.contains("\n") == false)
    }

    @Test func jumpIntoAStubIsToldFromAnException() throws {
        // mov eax, 0x60e0; jmp rax
        let run = try RunMachine(try configuration([0xb8, 0xe0, 0x60, 0, 0, 0xff, 0xe0]))
        #expect(run.crash?.cause == .forgedException(vector: 14))
        #expect(run.report.contains("in the machine's stub page"))
    }

    @Test func coreCanBeRead() throws {
        let run = try RunMachine(try configuration([0x90, 0x0f, 0x0b], text: "constant"))
        let crash = try #require(run.crash)
        let path = "\(folder.path)/core"
        let written = try CoreDump(run.machine, crash).write(to: path)
        let file = try File.regular(path)
        let core = Core(bytes: try file.read(at: 0, Int(try file.size())))
        #expect(written < 1 << 20)
        #expect(core.isComplete)
        #expect(core.registers[16] == 0x4_0001, "rip")
        #expect(core.bytes(at: 0x4_0000, 3) == [0x90, 0x0f, 0x0b])
        #expect(core.bytes(at: 0x4_1000, 8) == Array("constant".utf8))
        #expect(core.bytes(at: 0, 1) == nil, "page zero is not mapped")
        #expect(core.physicalBytes(at: Int(AddressMap.stubs), 2) == [0xe7, 0], "the machine's own pages are there")
        let root = Int(run.machine.guest.layout.tables.lowerBound)
        #expect(core.physicalBytes(at: root, 1)?.first.map { $0 & 7 } == 7, "and so are page tables")
    }
}
