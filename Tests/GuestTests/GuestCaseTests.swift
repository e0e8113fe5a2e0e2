// Every case of every guest, on this host's KVM.
//
// Read next: guests/NAME/expect and Tests/GuestCases/ExpectFile.swift; StoppingTests.swift has what a case cannot say.

import Foundation
import GuestCases
import TestSupport
import Testing

private let suite = GuestSuite(guests: House.bench.guests)

/// Nothing may be passed over in silence: these run, and fail, with and without KVM.
@Suite struct GuestSuiteTests {
    @Test func everyGuestHasCases() {
        #expect(suite.problems == [])
        #expect(!suite.cases.isEmpty)
    }

    @Test func swiftletIsBuilt() {
        let swiftlet = House.bench.swiftlet
        #expect(FileManager.default.isExecutableFile(atPath: swiftlet), "\(swiftlet) is missing: make build")
    }

    @Test func everyGuestIsBuilt() {
        for guest in Set(suite.cases.map(\.guest)) {
            let image = House.image(guest)
            #expect(FileManager.default.isReadableFile(atPath: image), "\(image) is missing: make guests")
        }
    }
}

extension GuestTests {
    @Suite(.requiresKVM) struct Cases {
        @Test("a guest does what its expect file says", arguments: suite.cases)
        func run(guestCase: GuestCase) {
            for failure in guestCase.run(on: House.bench).failures { Issue.record(Comment(rawValue: failure)) }
        }
    }
}
