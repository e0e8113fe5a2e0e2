// Profiles: when a sample is due and how much it counts, stacks of honest and hostile guests, and the two forms.
//
// Read next: Tests/VMMTests/ObservationTests.swift.

import KVM
import Testing

@testable import Observe

@Suite struct StacksOfSeveralTests {
    @Test func samplesAddUp() {
        var (one, other) = (Stacks(), Stacks())
        one.add(["f", "main"], weight: 2)
        other.add(["f", "main"])
        other.add(["g"], weight: 5)
        one.add(other)
        #expect(one.total == 8)
        #expect(one.collapsed == "g 5\nmain;f 3\n")
    }
}

@Suite struct SymbolTableTests {
    private func table(_ symbols: [(UInt64, UInt64, String)]) -> SymbolTable {
        SymbolTable { add in for symbol in symbols { add(symbol.0, symbol.1, symbol.2) } }
    }

    @Test func symbolsReachAsFarAsTheySay() {
        let table = table([(0x200, 0, "open"), (0x100, 0x10, "closed"), (0x300, 1, "last")])
        #expect(table.place(0x100) == "closed+0x0" && table.place(0x10f) == "closed+0xf")
        #expect(table.place(0x110) == nil && table.place(0xff) == nil)
        #expect(table.place(0x2ff) == "open+0xff", "no size: up to the next")
        #expect(table.place(0x301) == nil && table.place(.max) == nil)
        #expect(table.function(0x301) == "0x301")
        #expect(SymbolTable().place(0) == nil)
    }

    @Test func memoryIsBounded() {
        let name = String(repeating: "x", count: 100_000)
        let table = table((0..<1000).map { ($0, 1, name) })
        #expect(table.place(600) != nil && table.place(700) == nil)
    }

    @Test func ofTwoAtOneAddressTheLaterCounts() {
        #expect(table([(1, 1, "a"), (1, 1, "b")]).place(1) == "b+0x0", "as in crash reports")
    }
}

@Suite struct SampleClockTests {
    private func event(_ left: UInt64, _ handled: UInt64, _ kind: ExitKind = .kick) -> ExitEvent {
        var event = ExitEvent(ExitKey(kind))
        (event.left, event.handled) = (left, handled)
        return event
    }

    @Test func everyPeriodIsASample() {
        var clock = SampleClock(rate: 1000)
        #expect(clock.start(at: 500) == 1_000_000)
        #expect(clock.look(at: event(1_000_600, 1_000_700)) == (1, nil, 999_800))
        #expect(clock.look(at: event(1_500_000, 1_500_100, .call)) == (0, nil, nil), "not due, and the timer runs")
        #expect(clock.look(at: event(2_000_499, 2_000_499)) == (0, nil, 1), "a kick that came early is ordered again")
        #expect(clock.look(at: event(4_000_501, 4_000_502, .call)) == (3, nil, 999_998), "late: it counts for all")
    }

    /// A call that waits for ten periods: its time is its own, and the kick that it swallowed is ordered again.
    @Test func timeInACallIsTheCalls() {
        var clock = SampleClock(rate: 1000)
        _ = clock.start(at: 0)
        #expect(clock.look(at: event(500_000, 10_500_000, .call)) == (0, nil, 0))
        #expect(clock.look(at: event(10_500_100, 10_500_200)) == (10, "call", 499_800))
        #expect(clock.look(at: event(11_000_000, 11_000_000)) == (1, nil, 1_000_000))
    }

    @Test(arguments: [0, 1, .max] as [UInt64])
    func noRateIsATrap(rate: UInt64) {
        var clock = SampleClock(rate: rate)
        _ = clock.start(at: .max - 5)
        _ = clock.look(at: event(3, 4))
    }
}

/// Memory as a test likes it: words, and bytes that are all 0xe8 where code is.
private struct InventedMachine: ObservedMachine {
    var words: [UInt64: UInt64] = [:]
    var code: ClosedRange<UInt64> = 0x1000...0x2000
    var codeByte: UInt8 = 0xe8

    func time(at tsc: UInt64) -> UInt64 { tsc }
    func call(_ port: UInt16, size: UInt8, count: UInt32) -> (number: UInt64, name: String)? {
        port == 0x500 ? (7, "seven") : nil
    }
    var isStopping: Bool { false }
    var stopDescriptor: Int32 { -1 }
    func bytes(at address: UInt64, _ count: Int, root: UInt64) -> [UInt8] {
        code.contains(address) ? Array(repeating: codeByte, count: count) : []
    }
    func word(at address: UInt64, root: UInt64) -> UInt64? { words[address] }
    func portInstruction(around rip: UInt64, root: UInt64) -> UInt64 { rip }
}

@Suite struct StackWalkTests {
    /// Frames at 0x100, 0x200, ... each returning into `code`.
    private func machine(frames: Int) -> InventedMachine {
        var machine = InventedMachine()
        for frame in 1...UInt64(frames) {
            machine.words[frame * 0x100] = (frame + 1) * 0x100
            machine.words[frame * 0x100 + 8] = 0x1100 + frame
        }
        return machine
    }

    @Test func chainIsFollowedToItsEnd() {
        #expect(StackWalk.callers(0x100, root: 0, machine(frames: 3)) == [0x1101, 0x1102, 0x1103])
        let symbols = SymbolTable { add in
            add(0x1100, 1, "first"); add(0x1101, 9, "second")
        }
        let names = StackWalk.functions(0x1101, 0x100, root: 0, symbols, machine(frames: 2))
        #expect(names == ["second", "first", "second"], "a call is before the address that it returns to")
    }

    @Test func longChainIsCut() {
        #expect(StackWalk.callers(0x100, root: 0, machine(frames: 5000)).count == StackWalk.depth - 1)
    }

    /// RBP is any number, frames that lead back, nowhere, or around the end of addresses.
    @Test func hostileChainsEnd() {
        for pointer in [0, 1, 7, 0x101, .max, .max - 7, 1 << 63] as [UInt64] {
            #expect(StackWalk.callers(pointer, root: 0, machine(frames: 3)) == [])
        }
        for next in [0, 0x100, 0xf8, .max, 0x100 + (1 << 20) + 8] as [UInt64] {
            var machine = machine(frames: 3)
            machine.words[0x100] = next
            #expect(StackWalk.callers(0x100, root: 0, machine) == [0x1101])
        }
        var wrapping = InventedMachine()
        wrapping.words = [.max - 7: 0x100, 0: 0x1101]
        #expect(StackWalk.callers(.max - 7, root: 0, wrapping) == [0x1101])
    }

    /// Words that lie on a stack without being return addresses: what they point behind is no call.
    @Test func aReturnAddressIsBehindACall() {
        var machine = machine(frames: 1)
        machine.codeByte = 0x90
        #expect(StackWalk.callers(0x100, root: 0, machine) == [])
        machine.code = 0x5000...0x6000
        #expect(StackWalk.callers(0x100, root: 0, machine) == [], "not mapped")
        machine.words[0x108] = 3
        #expect(StackWalk.callers(0x100, root: 0, machine) == [], "below the first page")
    }
}

@Suite struct StacksTests {
    @Test func collapsedStacksAreOutermostFirst() {
        var stacks = Stacks()
        stacks.add(["inner", "outer"], weight: 3)
        stacks.add(["outer"])
        stacks.add(["inner", "outer"])
        #expect(stacks.collapsed == "outer;inner 4\nouter 1\n")
        #expect(stacks.total == 5)
        #expect(stacks.shares == [.init(name: "inner", own: 4, all: 4), .init(name: "outer", own: 1, all: 5)])
        #expect(stacks.flat().contains("\n   80.0%   80.0%  inner\n   20.0%  100.0%  outer\n"))
    }

    @Test func recursionCountsOnce() {
        var stacks = Stacks()
        stacks.add(["f", "f", "f"])
        #expect(stacks.shares == [.init(name: "f", own: 1, all: 1)])
    }

    /// The collapsed form splits at semicolons and at the last space.
    @Test func namesCannotBreakTheForm() {
        var stacks = Stacks()
        stacks.add(["a;b c\n\u{1b}"])
        #expect(stacks.collapsed == "a:b_c__ 1\n")
    }

    @Test func memoryIsBoundedAndNoSampleIsLost() {
        var stacks = Stacks()
        let long = String(repeating: "x", count: 1000)
        for index in 0..<10_000 { stacks.add(["\(index)", long]) }
        let lines = stacks.collapsed.split(separator: "\n")
        #expect(lines.count < 4500 && lines.first?.hasPrefix("[other stacks] ") == true)
        #expect(stacks.total == 10_000)
        #expect(lines.reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) } == 10_000)
    }

    @Test func noSamplesAreNoTrap() {
        #expect(Stacks().collapsed == "" && Stacks().flat().hasSuffix("of 0 samples\n"))
    }
}

@Suite struct ExitEventTests {
    @Test(
        arguments: [
            (.portWrite(port: 0x500, size: 4, count: 1, value: 9), ExitKey(.call, 7), "seven", 4, 9),
            (.portWrite(port: 0x60, size: 2, count: 3, value: 9), ExitKey(.portWrite, 0x60), "port-write", 2, 9),
            (.portRead(port: 0x61, size: 1, count: 1), ExitKey(.portRead, 0x61), "port-read", 1, nil),
            (.mmioWrite(address: 1 << 40, size: 8, value: .max), ExitKey(.memoryWrite, 1 << 40), "mmio-write", 8, .max),
            (.mmioRead(address: 5, size: 4), ExitKey(.memoryRead, 5), "mmio-read", 4, nil),
            (.msrRead(index: 0x1a0), ExitKey(.registerRead, 0x1a0), "msr-read", 0, nil),
            (.msrWrite(index: 0x1a0, value: 7), ExitKey(.registerWrite, 0x1a0), "msr-write", 0, 7),
            (.internalError(suberror: 1), ExitKey(.internalError, 1), "internal-error", 0, nil),
            (.other(99), ExitKey(.other, 99), "other", 0, nil), (.halt, ExitKey(.halt), "halt", 0, nil),
        ] as [(Exit, ExitKey, String, UInt32, UInt64?)])
    func exitsAreNamed(exit: Exit, key: ExitKey, name: String, size: UInt32, data: UInt64?) {
        let event = ExitEvent(exit, InventedMachine())
        #expect((event.key, event.name, event.size, event.data) == (key, name, size, data))
    }

    @Test func kickIsTheErrorEINTR() {
        #expect(ExitEvent(error: 4).key == ExitKey(.kick))
        #expect(ExitEvent(error: 12).key == ExitKey(.failed, 12))
        #expect(ExitEvent(error: 11).key == ExitKey(.wake), "EAGAIN: a CPU that waited was started")
    }
}
