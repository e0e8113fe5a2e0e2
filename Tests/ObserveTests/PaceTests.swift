// What keys do to a narration's pace.
//
// Read next: Sources/Observe/Pace.swift.

import Testing

@testable import Observe

@Suite struct PaceTests {
    private func pace(_ milliseconds: UInt64, _ keys: String) -> Pace {
        var pace = Pace(milliseconds: milliseconds)
        for key in keys.utf8 { _ = pace.take(key) }
        return pace
    }

    /// How many lines come before it stands still, of three.
    private func lines(_ pace: Pace) -> Int {
        var pace = pace
        var lines = 0
        while lines < 3, pace.goesOn() { lines += 1 }
        return lines
    }

    /// "E" is Enter.
    @Test(arguments: [
        ("", 3), (" ", 0), ("  ", 3), ("E", 0), ("EE", 1), ("EEE", 2), (" EE", 2), (" E ", 3), ("x", 3), ("EE  ", 0),
    ])
    func standsStillAndGoesOn(keys: String, expected: Int) {
        #expect(lines(pace(100, keys.replacing("E", with: "\n"))) == expected)
        #expect(lines(pace(100, keys.replacing("E", with: "\r"))) == expected)
    }

    @Test func zeroWaitsForKeys() {
        #expect(lines(pace(0, "")) == 0 && lines(pace(0, "\n")) == 1 && lines(pace(0, " ")) == 3)
    }

    @Test func plusAndMinusHaveLimits() {
        #expect(pace(100, "").interval == 100_000_000)
        #expect(pace(100, "+").interval == 50_000_000 && pace(100, "-").interval == 200_000_000)
        #expect(pace(100, String(repeating: "+", count: 99)).interval == 1_000_000)
        #expect(pace(100, String(repeating: "-", count: 99)).interval == 60_000_000_000)
        #expect(!pace(100, "+").isPaused)
    }

    @Test func whatIsAskedOfTheRun() {
        var pace = Pace(milliseconds: 10)
        #expect(pace.take(UInt8(ascii: "g")) == .leave)
        #expect(pace.take(UInt8(ascii: "q")) == .quit)
        for key in UInt8.min...UInt8.max where !"gq".utf8.contains(key) {
            let wish = pace.take(key)
            #expect(wish == nil)
        }
    }

    @Test func restsAreTheInterval() {
        #expect(Narration().rest() == 0, "without a pace nobody waits")
        let slow = Narration(Pace(milliseconds: 20))
        #expect(slow.rest() == 20_000_000)
        _ = slow.take(UInt8(ascii: "\n"))
        #expect(slow.rest() == nil && slow.isPaused)
        _ = slow.take(UInt8(ascii: "\n"))
        #expect(slow.rest() == 0 && slow.rest() == nil)
        slow.dropPace()
        #expect(slow.rest() == 0 && !slow.isPaused)
    }

    @Test func aLineIsEndedOnce() {
        let narration = Narration()
        #expect(!narration.endsLine())
        narration.beganLine()
        #expect(narration.endsLine() && !narration.endsLine())
    }
}
