// A pool is a function call into a guest, and no call finds anything of another.
//
// Read next: guests/upper, guests/remap (which looks for what another life may have left), PoolLoadTests.swift.

import Foundation
import GuestCases
import Host
import Synchronization
import TestSupport
import Testing
import VMM

@testable import Snapshot

@Suite(.requiresKVM) struct PoolTests {
    @Test func callsAGuest() throws {
        let guest = try SavedGuest("upper")
        let pool = try guest.pool()
        for text in ["hello", "", String(repeating: "many words, ", count: 4000), "again"] {
            let answer = try pool.call(Array(text.utf8))
            #expect(answer.text == text.uppercased())
            #expect(answer.status == 0)
            #expect(answer.message == nil)
        }
        #expect(pool.alive == 1, "one after the other, one clone does")
    }

    /// Each life spoils what it can, and the next must find everything as it was: copied back, or dropped.
    @Test(arguments: [Clone.keptPages, 0])
    func everyLifeFindsEverythingAsItWas(keptPages: Int) throws {
        let guest = try SavedGuest("remap")
        let pool = try guest.pool { $0.keptPages = keptPages }
        for life in Life.all {
            let answer = try pool.call(Array(life.spoils.utf8))
            #expect(answer.status == life.status, "'\(life.spoils)': \(answer.text)\(answer.message ?? "")")
            #expect(answer.text.hasPrefix("clone 0, "), "'\(life.spoils)': \(answer.text)")
        }
        #expect(pool.alive == 1)
    }

    @Test func everyLifeHasANumberAndEntropy() throws {
        let guest = try SavedGuest("remap")
        let pool = try guest.pool()
        let lines = try (1...3).map { _ in try pool.call([]).text.split(separator: ", entropy ") }
        #expect(lines.map { $0[0] } == ["clone 0, generation 1", "clone 0, generation 2", "clone 0, generation 3"])
        #expect(Set(lines.map { $0[1] }).count == 3)
    }

    /// At a triple fault KVM resets the vCPU in its own way: the clone is not used again, its number is.
    @Test func aMachineThatShutDownIsReplaced() throws {
        let guest = try SavedGuest("remap")
        let pool = try guest.pool()
        let last = try pool.call([UInt8(ascii: "d")])
        #expect(last.status == 126)
        #expect(last.message?.contains("triple fault") == true, "\(last.message ?? "")")
        #expect(pool.alive == 0)
        #expect(try pool.call([]).text.hasPrefix("clone 0, generation 1,"))
        #expect(pool.alive == 1)
    }

    @Test func aCrashIsToldAndTheCloneLivesOn() throws {
        let guest = try SavedGuest("remap")
        let pool = try guest.pool()
        let answer = try pool.call([UInt8(ascii: "z")])
        #expect(answer.status == 126)
        #expect(answer.message?.contains("page fault") == true, "\(answer.message ?? "")")
        #expect(try pool.call([]).text.hasPrefix("clone 0, generation 2,"))
    }

    @Test func outputHasALimit() throws {
        let guest = try SavedGuest("remap")
        let pool = try guest.pool { $0.outputLimit = 1000 }
        let answer = try pool.call([UInt8(ascii: "w")])
        #expect(answer.status == 125)
        #expect(answer.message == "the guest wrote more than its output limit of 1000 bytes")
        #expect((900...1000).contains(answer.output.count))
        #expect(try pool.call([]).status == 0)
    }

    @Test func manyThreadsCallAtOnce() throws {
        let guest = try SavedGuest("upper")
        let pool = try guest.pool { $0.kept = 3 }
        let wrong = Atomic<Int>(0)
        try withThreads(6) { number in
            for round in 0..<20 {
                let text = "thread \(number), round \(round)"
                let answer = try? pool.call(Array(text.utf8))
                if answer?.text != text.uppercased() { wrong.wrappingAdd(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(pool.alive <= 3, "no more than are kept when none is in use")
    }

    private func withThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
        var threads: [Foundation.Thread] = []
        let done = DispatchGroup()
        for number in 0..<count {
            done.enter()
            let thread = Foundation.Thread {
                body(number)
                done.leave()
            }
            threads.append(thread)
            thread.start()
        }
        done.wait()
    }
}
