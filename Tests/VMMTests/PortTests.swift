// Ports and exits that are no calls: each is one cause of a crash, and says exactly what the guest did.
//
// Read next: CrashReportTests.swift.

import CABI
import KVM
import Testing
import X86

@testable import VMM

@Suite struct PortTests {
    @Test(arguments: (49...63).filter { $0 != SWIFTLET_CALL_SNAPSHOT })
    func unknownCallsAreMisuse(number: Int32) throws {
        let guest = try InventedGuest()
        #expect(guest.out(SWIFTLET_CALL_PORT + number) == .stop)
        #expect(guest.misuse == "unknown call \(number): version 1 has 32 to 48 and 50")
    }

    /// Solo5's numbers, fw_cfg's ports, and everything else that is outside 32 to 63.
    @Test(arguments: [0, 0x10, 0x3f8, 0x501, 0x508, 0x510, 0x511, 0x51f, 0x540, 0x620, 0xfff, 0x8520, 0xffff])
    func portsThatNobodyOwns(port: Int32) throws {
        let guest = try InventedGuest()
        #expect(guest.out(port) == .stop)
        #expect(guest.cause == .port(UInt16(port), size: 4, written: 7))
    }

    @Test(arguments: [(1, 1), (2, 1), (4, 2), (4, 1000), (4, 0)] as [(UInt8, UInt32)])
    func callIsOneOutOfFourBytes(size: UInt8, count: UInt32) throws {
        let guest = try InventedGuest()
        let port = SWIFTLET_CALL_PORT + SWIFTLET_CALL_EXIT
        #expect(guest.out(port, size: size, count: count) == .stop)
        #expect(guest.cause == .port(UInt16(port), size: size, written: 7))
        #expect(guest.stop == nil)
    }

    @Test func callsAreNoReads() throws {
        let guest = try InventedGuest()
        #expect(guest.exit(.portRead(port: 0x520, size: 4, count: 1)) == .stop)
        #expect(guest.cause == .port(0x520, size: 4, written: nil))
    }

    @Test(arguments: [0, 6, 13, 14, 255] as [Int32])
    func stubsExitIsItsVector(vector: Int32) throws {
        for offset: UInt64 in [0, 2] {
            let guest = try InventedGuest()
            let rip = Stub.address(vector: Int(vector)) + offset
            #expect(guest.out(vector, rip: rip) == .stop)
            #expect(guest.cause == .exception(vector: Int(vector)))
        }
    }

    /// What makes an OUT a stub's: a port below 256, four bytes, and an instruction pointer in the stub page.
    @Test func outOfAGuestIsNoException() throws {
        for (port, size, rip) in [
            (14, 4, 0x4_0000), (14, 1, 0x60e0), (14, 4, 0x7000), (14, 4, 0x5fff), (256, 4, 0x60e0),
            (14, 4, 0x1_0000_60e0),
        ] as [(Int32, UInt8, UInt64)] {
            let guest = try InventedGuest()
            #expect(guest.out(port, size: size, rip: rip) == .stop)
            #expect(guest.cause == .port(UInt16(port), size: size, written: 7))
        }
    }

    private static let otherExits: [(Exit, Crash.Cause)] = [
        (.mmioWrite(address: 0x2000, size: 8, value: 9), .memory(0x2000, size: 8, written: 9)),
        (.mmioRead(address: 0xc000_0000, size: 1), .memory(0xc000_0000, size: 1, written: nil)),
        (.shutdown, .tripleFault), (.internalError(suberror: 1), .emulation(suberror: 1)),
        (.failEntry(reason: 0x8000_0021), .invalidState(reason: 0x8000_0021)),
        (.halt, .unexpectedExit("halt")), (.debug, .unexpectedExit("debug")),
        (.interrupted, .unexpectedExit("interrupted")), (.other(99), .unexpectedExit("other(99)")),
    ]

    @Test(arguments: otherExits.indices)
    func everyOtherExitIsACrash(index: Int) throws {
        let (exit, cause) = Self.otherExits[index]
        let guest = try InventedGuest()
        #expect(guest.exit(exit) == .stop)
        #expect(guest.cause == cause)
    }
}

@Suite struct StatisticsTests {
    @Test func vectorSetsAre256Bits() {
        var set = VectorSet()
        let vectors = [0, 31, 63, 64, 127, 128, 191, 192, 255]
        for vector in vectors { set[vector] = true }
        #expect((0..<256).filter { set[$0] } == vectors)
        for vector in vectors { set[vector] = false }
        #expect((0..<256).allSatisfy { !set[$0] })
    }

    @Test func phasesAreDifferences() {
        var phases = Phases(start: 100)
        phases.end("a", at: 150)
        phases.end("b", at: 150)
        phases.end("c", at: 1_151)
        #expect(phases.list.map { "\($0.name)" } == ["a", "b", "c"])
        #expect(phases.list.map(\.nanoseconds) == [50, 0, 1001])
        for index in 0..<20 { phases.end("more", at: 2_000 + UInt64(index)) }
        #expect(phases.list.count == 8, "in place, and no more")
    }
}
