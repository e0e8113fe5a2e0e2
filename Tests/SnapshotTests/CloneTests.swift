// A clone is stopped by its time limit, by another thread, and by nothing else; and it is itself again after each.
//
// Read next: Clone.swift, Watchdog.swift.

import Foundation
import Host
import TestSupport
import Testing
import VMM

@testable import Snapshot

@Suite(.requiresKVM) struct CloneTests {
    /// For the guest obey, which has no timer: of one that has, a stop may find an interrupt under way, and no reset is possible.
    private let spin = Array("spin".utf8)
    private let who = Array("who".utf8)

    private func make(_ source: CloneSource, _ index: UInt32 = 0) throws -> Clone { try Self.make(source, index) }
    private static func make(_ source: CloneSource, _ index: UInt32) throws(SnapshotError) -> Clone {
        try Clone(source, index: index)
    }

    @Test func eachIsToldItsNumber() throws {
        let guest = try SavedGuest("remap")
        let source = try guest.source()
        let clones = try [3, 0, 7].map { try make(source, $0) }
        for clone in clones { #expect(try clone.run().text.hasPrefix("clone \(clone.index), generation 1,")) }
    }

    @Test func timeLimitEndsALife() throws {
        let guest = try SavedGuest("obey")
        let clone = try make(try guest.source())
        for _ in 0..<3 {
            let answer = try clone.run(spin, timeout: 20_000_000)
            #expect(answer.status == 124)
            #expect(answer.message?.contains("time limit") == true)
            try clone.reset()
        }
        let answer = try clone.run(who)
        #expect(answer.status == 0, "\(answer.text)")
        #expect(answer.text.hasPrefix("clone 0 of 0, generation 4"))
    }

    @Test func timeLimitBeyondTheEndOfTimeIsNone() throws {
        let guest = try SavedGuest("remap")
        let answer = try make(try guest.source()).run(timeout: .max)
        #expect(answer.status == 0, "\(answer.message ?? "") \(answer.text)")
    }

    /// Sleeping in a call is waited for elsewhere than computing.
    @Test func timeLimitEndsASleep() throws {
        let guest = try SavedGuest("upper")
        let never = BlockingPipe()  // a console that has nothing to read, and no end
        let console = Console(input: never.reader, output: -1)
        let clone = try Self.make(try guest.source(), console)
        #expect(try clone.run(timeout: 20_000_000).status == 124)
        withExtendedLifetime(never) {}
    }

    private static func make(_ source: CloneSource, _ console: Console) throws(SnapshotError) -> Clone {
        try Clone(source, index: 0, console: console)
    }

    @Test func anotherThreadStopsIt() throws {
        let guest = try SavedGuest("obey")
        let clone = try make(try guest.source())
        clone.stop()  // nothing runs: nothing happens
        for _ in 0..<3 {
            let done = Shared()
            let stopper = try Thread {
                while !done.isDone {
                    clone.stop()
                    usleep(1000)
                }
            }
            #expect(try clone.run(spin).status == 143)
            done.isDone = true
            stopper.join()
            try clone.reset()
        }
        #expect(try clone.run().status == 0)
    }

    @Test func aLifeNeedsAReset() throws {
        let guest = try SavedGuest("upper")
        let clone = try make(try guest.source())
        try clone.reset()  // it has not lived: nothing happens
        #expect(try clone.run().status == 0)
        #expect(throws: SnapshotError.self) { try clone.run() }
        try clone.reset()
        #expect(try clone.run().status == 0)
    }

    /// What the caller's descriptors are for is left to them.
    @Test func aConsoleOfTheCallersIsUsed() throws {
        let guest = try SavedGuest("upper")
        let input = BlockingPipe()
        let output = BlockingPipe()
        input.write("two words")
        input.closeWriter()
        let clone = try Self.make(try guest.source(), Console(input: input.reader, output: output.writer))
        let answer = try clone.run()
        #expect(answer.status == 0)
        #expect(answer.output.isEmpty)
        #expect(output.readText() == "TWO WORDS")
    }
}
