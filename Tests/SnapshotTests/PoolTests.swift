// A pool is a function call into a guest, and no call finds anything of another.
//
// Read next: guests/upper, guests/remap (which looks for what another life may have left), PoolLoadTests.swift.

import Foundation
import Host
import TestSupport
import Testing
import VMM

@testable import Snapshot

@Suite(.requiresKVM) struct PoolTests {
    @Test func callsAGuest() throws {
        let pool = try SavedGuest("upper").pool()
        for text in ["hello", "", String(repeating: "many words, ", count: 4000), "again"] {
            let answer = try pool.call(Array(text.utf8))
            #expect(answer.text == text.uppercased())
            #expect(answer.status == 0)
            #expect(answer.message == nil)
        }
        #expect(pool.alive == 1, "one after the other, one clone does")
    }

    /// Each spoils what it can, in the same machine; the next must find everything as it was. Twice, so that what the
    /// second life of a kind leaves is looked at too.
    @Test func everyLifeFindsEverythingAsItWas() throws {
        let pool = try SavedGuest("remap").pool()
        for spoils in ["", "v", "m", "n", "r", "l", "f", "a", "g", "h", "t", "z", "mfvt", "mfvhz", "rg", "nl", "ga"] {
            for _ in 0..<2 {
                let answer = try pool.call(Array(spoils.utf8))
                #expect(answer.status == (spoils.hasSuffix("z") ? 126 : 0), "after \(spoils): \(answer.text)")
                #expect(answer.text.hasPrefix("clone 0, "), "after \(spoils): \(answer.text)")
            }
        }
        #expect(pool.alive == 1)
    }
}
