// What the breakdown of a port exit says of the product: the round trip of `swiftlet run` beside its C twin's.
//
// Read next: Sources/swiftlet-bench/Report/Breakdown.swift.

import Measure
import Testing

@testable import swiftlet_bench

@Suite struct ProductTests {
    private func poll(_ host: String, _ medians: [Double]) -> Row {
        Row.invented(Subject(.exits, "call-poll", "call (POLL)", host, .user), medians: medians)
    }

    /// The host slowed down in between, both alike: 100 ns remain, in each repeat.
    @Test func oursIsWhatSwiftletTakesBeyondItsTwin() throws {
        let rows = [poll("swiftlet", [2100, 9100, 3100]), poll("twin", [2000, 9000, 3000])]
        let product = try #require(Product(Report.invented(rows).rows))
        #expect((product.ours.low, product.ours.median, product.ours.high) == (100, 100, 100))
        #expect((product.swiftlet.median, product.twin.median) == (3100, 3000))
        #expect(Product(Report.invented([rows[0]]).rows) == nil)
        #expect(Product(Report.invented([]).rows) == nil)
    }

    /// The sandbox's part has a line where a run without it was measured.
    @Test func theSandboxsPartIsWhatTheSameRunTakesBeyondOneOutsideOfIt() throws {
        let rows = [
            poll("no-sandbox", [1900, 8900, 2900]), poll("swiftlet", [2100, 9100, 3100]),
            poll("twin", [2000, 9000, 3000]),
        ]
        let product = try #require(Product(Report.invented(rows).rows))
        #expect(product.sandbox.map { ($0.low, $0.median, $0.high) } ?? (0, 0, 0) == (200, 200, 200))
        #expect(Product(Report.invented(Array(rows.dropFirst())).rows)?.sandbox == nil)
        let text = Breakdown.text(.invented(rows + [.invented(.port(), medians: [25_000], floor: 5000)]))
        #expect(text.contains("the sandbox's: beyond --no-sandbox"))
    }

    @Test func itStandsBesideTheRigs() {
        let port = Row.invented(.port(), medians: [25_000], floor: 5000)
        let text = Breakdown.text(.invented([port, poll("swiftlet", [2100]), poll("twin", [2000])]))
        #expect(text.contains("the rig's whole round trip"))
        #expect(text.contains("ours: beyond the twin's"))
        #expect(text.contains("100 ns to 100 ns"))
        #expect(!text.contains("ours: the handler"))
    }

    /// The invented clock's step is 10 ns, the handler a hundredth of the total.
    @Test func noTimeIsToldFinerThanTheClock() {
        #expect(Breakdown.text(.invented([.invented(.port(), medians: [1001])])).contains("at most the clock's step"))
        #expect(!Breakdown.text(.invented([.invented(.port(), medians: [2000])])).contains("at most the clock's step"))
    }
}
