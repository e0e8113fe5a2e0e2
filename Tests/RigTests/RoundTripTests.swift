// Splits of invented stamps: what is out, what is the host's, what is back, and when that cannot be told.
//
// Read next: RigTests.swift.

import Testing

@testable import Rig

@Suite struct RoundTripTests {
    private func trips(_ guest: [(UInt64, UInt64)], _ host: [(UInt64, UInt64)]) -> RoundTrips {
        var trips = RoundTrips()
        trips.guest = guest.map { (start: $0.0, end: $0.1) }
        trips.host = host.map { (left: $0.0, entered: $0.1) }
        return trips
    }

    private func numbers(_ splits: [RoundTrips.Split]?) -> [[UInt64]]? {
        splits?.map { [$0.toHost, $0.handler, $0.toGuest] }
    }

    @Test func aSingleExitHasThreePartsAndNothingElse() {
        let trips = trips([(100, 200), (300, 450)], [(140, 150), (310, 400)])
        #expect(numbers(trips.splits) == [[40, 10, 50], [10, 90, 50]])
        for (split, sample) in zip(trips.splits ?? [], trips.guest) {
            #expect(split.toHost + split.handler + split.toGuest == sample.end - sample.start)
        }
    }

    @Test func severalExitsShareASample() {
        let trips = trips([(0, 100), (200, 300)], [(10, 12), (20, 25), (60, 61), (210, 290)])
        #expect(numbers(trips.splits) == [[10, 2 + 5 + 1, 39], [10, 80, 10]])
    }

    @Test func stampsOfOneInstantAreInOrder() {
        #expect(numbers(trips([(5, 5)], [(5, 5)]).splits) == [[0, 0, 0]])
    }

    @Test func aSampleWithoutExitHasNoSplit() {
        #expect(trips([(0, 100), (200, 300)], [(10, 20)]).splits == nil)
        #expect(trips([(0, 100)], []).splits == nil)
    }

    /// The guest's clock is another one, or somebody's exit lies between two samples.
    @Test func stampsThatCannotBeHaveNoSplit() {
        #expect(trips([(1000, 1100)], [(40, 50)]).splits == nil)
        #expect(trips([(0, 100), (200, 300)], [(10, 20), (150, 160)]).splits == nil)
        #expect(trips([(0, 100)], [(400, 500)]).splits == nil)
    }
}
