// Observed runs of real guests: counts that are exact, traces that are whole however the run ends, profiles that name the
// function, and guests that do their worst with RBP.
//
// Read next: Sources/Observe/Observer.swift.

import CABI
import Foundation
import Host
import ImageBuilder
import Observe
import TestSupport
import Testing
import X86

@testable import VMM

@Suite(.requiresKVM) struct ObservationTests {
    private let folder = ScratchFolder()

    private func configuration(_ image: [UInt8], timeout: UInt64? = nil) throws -> Configuration {
        var configuration = Configuration(image: try folder.file("guest.elf", image))
        configuration.memorySize = 1 << 20
        configuration.timeout = timeout
        configuration.quiet = true
        return configuration
    }

    /// Runs, and writes what is to be written.
    private func run(_ configuration: Configuration) throws -> RunMachine {
        let run = try RunMachine(configuration)
        _ = run.machine.conclude(run.outcome)
        return run
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    }

    private func events(_ name: String) throws -> [[String: Any]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    }

    private static func look(_ count: Int) -> [UInt8] {
        let look = GuestCode.argument(0, 0) + GuestCode.argument(8, 0) + GuestCode.call(SWIFTLET_CALL_POLL)
        return (0..<count).flatMap { _ in look }
    }

    @Test func everyExitIsCountedOnce() throws {
        var configuration = try configuration(GuestCode.image(Self.look(37) + GuestCode.exit(0)))
        configuration.observation.statistics = true
        let run = try run(configuration)
        let table = try #require(run.outcome.exits)
        #expect(table.count(ExitKey(.call, UInt64(SWIFTLET_CALL_POLL))) == 37)
        #expect(table.count(ExitKey(.call, UInt64(SWIFTLET_CALL_EXIT))) == 1)
        #expect(table.exits == 38 + table.count(ExitKey(.kick)))
        #expect(table.run > 0 && table.handler > 0 && table.observer > 0)
        let object = try JSONSerialization.jsonObject(
            with: Data(run.machine.statisticsJSON(run.outcome, run.phases, emptyRun: 60_000).utf8))
        let json = try #require(object as? [String: Any])
        #expect((json["calls"] as? [String: Int]) == ["poll": 37, "exit": 1])
        #expect((json["exits"] as? [[String: Any]])?.contains { $0["count"] as? Int == 37 } == true)
    }

    /// The calls of guests with devices too.
    @Test func everyCallHasAName() {
        let names = ([Int32](SWIFTLET_CALL_EXIT...SWIFTLET_CALL_START_VCPU) + [SWIFTLET_CALL_SNAPSHOT]).map(callName)
        #expect(Set(names).count == names.count && !names.contains { $0.hasPrefix("call-") }, "\(names)")
        #expect(callName(SWIFTLET_CALL_BLOCK) == "block" && callName(SWIFTLET_CALL_RING) == "ring")
        #expect(callName(SWIFTLET_CALL_START_VCPU + 1) == "call-49")
    }

    @Test func unobservedRunHasNoCounts() throws {
        let run = try run(try configuration(GuestCode.image(GuestCode.exit(0))))
        #expect(run.outcome.exits == nil)
    }

    @Test func aPortThatNobodyOwnsIsNotACall() throws {
        var configuration = try configuration(GuestCode.image([0xe7, 0x60]))
        configuration.observation.statistics = true
        let run = try run(configuration)
        #expect(run.outcome.exits?.count(ExitKey(.portWrite, 0x60)) == 1)
    }

    /// RIP is the instruction's own on every KVM, and its symbol the image's.
    @Test func traceNamesTheInstruction() throws {
        var configuration = try configuration(GuestCode.image(Self.look(3) + GuestCode.exit(7)))
        configuration.observation.trace = "\(folder.path)/trace.json"
        _ = try run(configuration)
        let handlers = try events("trace.json").filter { $0["tid"] as? Int == 2 && $0["ph"] as? String == "X" }
        let calls = handlers.filter { $0["name"] as? String != "kick" }
        #expect(calls.map { $0["name"] as? String } == ["poll", "poll", "poll", "exit"])
        let size = UInt64(Self.look(1).count)
        for (index, call) in calls.prefix(3).enumerated() {
            let arguments = try #require(call["args"] as? [String: Any])
            let rip = ELFBuilder.codeAddress + UInt64(index + 1) * size - 1
            #expect(arguments["rip"] as? String == hex(rip))
            #expect(arguments["symbol"] as? String == "ma.in+\(hex(rip - ELFBuilder.codeAddress))")
            #expect(arguments["reason"] as? String == "call" && arguments["size"] as? Int == 4)
        }
    }

    /// On each track slices follow one another, and one exit's handler begins when its guest slice has ended.
    private func expectNested(_ events: [[String: Any]]) throws {
        var (guest, handler) = (0, 0)
        for event in events where event["ph"] as? String == "X" {
            func nanoseconds(_ name: String) throws -> Int {
                Int((try #require(event[name] as? Double) * 1000).rounded())
            }
            let (start, duration) = (try nanoseconds("ts"), try nanoseconds("dur"))
            if event["tid"] as? Int == 1 {
                #expect(start >= handler, "the guest runs on when the exit was handled")
                guest = start + duration
            } else {
                #expect(start >= guest, "an exit is handled after it came")
                handler = start + duration
            }
        }
        #expect(guest > 0 && handler >= guest)
    }

    /// Each way to end: the guest's own, a crash, a time limit while it computes and while it sleeps.
    @Test(arguments: [
        ("exit", GuestCode.exit(3)), ("crash", [0x0f, 0x0b]), ("timeout", GuestCode.spin), ("timeout", GuestCode.sleep),
    ])
    func traceIsWholeHoweverItEnds(end: String, code: [UInt8]) throws {
        var configuration = try configuration(GuestCode.image(Self.look(1) + code), timeout: 300_000_000)
        configuration.observation.trace = "\(folder.path)/trace.json"
        configuration.observation.profile = "\(folder.path)/profile"
        configuration.observation.statistics = true
        let run = try run(configuration)
        let events = try events("trace.json")
        try expectNested(events)
        #expect(events.last?["name"] as? String == "stop: \(end)")
        #expect((events.last?["args"] as? [String: Int])?["status"] == Int(run.outcome.stop.exitStatus))
        let exits = events.filter { $0["tid"] as? Int == 2 && $0["ph"] as? String == "X" }
        #expect(UInt64(exits.count) == run.outcome.exits?.exits, "trace and statistics saw the same")
    }

    /// Longer than a chunk: nothing is lost between two writes.
    @Test func longTraceIsWhole() throws {
        let count = 1500  // in 1 MiB of memory: 33 bytes of code each
        var configuration = try configuration(GuestCode.image(Self.look(count) + GuestCode.exit(0)))
        configuration.memorySize = 2 << 20
        configuration.observation.trace = "\(folder.path)/trace"
        let run = try run(configuration)
        #expect(run.outcome.stop.guestStatus == 0)
        #expect(try text("trace").split(separator: "\n").filter { $0.contains(" poll ") }.count == count)
    }

    @Test func injectionsAreTraced() throws {
        let timer = GuestCode.argument(0, 1_000_000) + GuestCode.argument(8, 32) + GuestCode.call(SWIFTLET_CALL_TIMER)
        let code = GuestCode.handling(32, main: timer + GuestCode.spin, handler: GuestCode.exit(5))
        var configuration = try configuration(GuestCode.image(code))
        configuration.observation.trace = "\(folder.path)/trace"
        #expect(try run(configuration).outcome.stop.guestStatus == 5)
        #expect(try text("trace").contains("  interrupt 32\n"))
    }

    /// Sampling kicks and the guest's timer share a signal, and neither takes the other's.
    @Test func profileLeavesTheTimerAlone() throws {
        let timer = GuestCode.argument(0, 30_000_000) + GuestCode.argument(8, 32) + GuestCode.call(SWIFTLET_CALL_TIMER)
        for wait in [GuestCode.spin, GuestCode.sleep] {
            let code = GuestCode.handling(32, main: timer + wait, handler: GuestCode.exit(5))
            var configuration = try configuration(GuestCode.image(code), timeout: 20_000_000_000)
            configuration.observation.profile = "\(folder.path)/profile"
            configuration.observation.profileRate = 10_000
            let start = Clock.monotonic()
            #expect(try run(configuration).outcome.stop.guestStatus == 5)
            #expect(Clock.monotonic() - start < 10_000_000_000)
            #expect(try samples() >= 20)
        }
    }

    private func samples() throws -> Int {
        try text("profile").split(separator: "\n").reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    }

    /// A guest that never exits: outer calls inner, which loops.
    @Test func profileFollowsFramePointers() throws {
        let frame: [UInt8] = [0x55, 0x48, 0x89, 0xe5]  // push rbp; mov rbp, rsp
        let outer = frame + [0xe8, 0, 0, 0, 0]  // call to behind itself
        var builder = ELFBuilder.guest(code: outer + frame + GuestCode.spin)
        builder.symbols = [
            ELFBuilder.Symbol("outer", ELFBuilder.codeAddress, size: UInt64(outer.count)),
            ELFBuilder.Symbol("inner", ELFBuilder.codeAddress + UInt64(outer.count), size: 6),
        ]
        var configuration = try configuration(builder.build(), timeout: 300_000_000)
        configuration.observation.profile = "\(folder.path)/profile"
        _ = try run(configuration)
        let first = try #require(try text("profile").split(separator: "\n").first)
        #expect(first.hasPrefix("outer;inner "))
        #expect(try samples() >= 100, "of 300 that were due")
    }

    /// RBP points anywhere: into nothing, the machine's tables, the call page, around the end, at a frame that is its own
    /// caller's.
    @Test(arguments: [0, 1, 0x1000, 0x3ff8, 0x2_0000, 0x4_0000, 0x7fff_ffff_fff8, 1 << 47, .max, .max - 7] as [UInt64])
    func hostileBasePointerIsHarmless(pointer: UInt64) throws {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: pointer >> UInt64(8 * $0)) }
        let code = [0x48, 0xbd] + bytes + GuestCode.spin  // movabs rbp
        var configuration = try configuration(GuestCode.image(code), timeout: 30_000_000)
        configuration.observation.profile = "\(folder.path)/profile"
        configuration.observation.profileRate = 10_000
        #expect(try run(configuration).outcome.stop.kind == "timeout")
        #expect(try text("profile").hasPrefix("ma.in "))
    }

    @Test(arguments: ["trace", "profile"])
    func badPathIsAnErrorBeforeTheGuestStarts(option: String) throws {
        var configuration = try configuration(GuestCode.image(GuestCode.exit(0)))
        if option == "trace" { configuration.observation.trace = "/nowhere/x" }
        if option == "profile" { configuration.observation.profile = "/nowhere/x" }
        #expect { try RunMachine(configuration) } throws: {
            ($0 as? MachineError)?.message.contains("/nowhere/x") == true
        }
    }

    @Test func fullDiskEndsTheTraceAndNotTheRun() throws {
        for option in [\Observation.trace, \Observation.profile] {
            var configuration = try configuration(GuestCode.image(Self.look(1500) + GuestCode.exit(9)))
            configuration.memorySize = 2 << 20
            configuration.observation[keyPath: option] = "/dev/full"
            #expect(try run(configuration).outcome.stop.guestStatus == 9)
        }
    }
}
