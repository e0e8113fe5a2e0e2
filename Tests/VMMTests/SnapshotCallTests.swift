// Pauses: the guest's snapshot call leads to one only where snapshots are wanted, and a call that a pause cuts short is
// made again, with what is left of it.
//
// Read next: Sources/VMM/Paravirt/Snapshot.swift.

import CABI
import Testing

@testable import VMM

@Suite struct SnapshotCallTests {
    @Test func withoutAWishForOneNoneIsMade() throws {
        let guest = try InventedGuest()
        let action = guest.call(SWIFTLET_CALL_SNAPSHOT, swiftlet_snapshot(result: 7))
        #expect(action == .resume)
        #expect(guest.result(swiftlet_snapshot.self)?.result == Int64(SWIFTLET_SNAPSHOT_NONE))
    }

    @Test func pauseEndsASleepThatIsMadeAgain() throws {
        let guest = try InventedGuest()
        let poll = swiftlet_poll(deadline: UInt64(SWIFTLET_NO_DEADLINE), events: 0, ready: 9)
        guest.platform.control.requestPause()
        #expect(guest.call(SWIFTLET_CALL_POLL, poll) == .stop)
        #expect(guest.stop?.kind == "snapshot")
        let isRepeated = guest.context.isCallRepeated
        #expect(isRepeated)
        #expect(guest.result(swiftlet_poll.self)?.ready == 9, "no answer yet")
    }

    @Test func stopTakesThePlaceOfAPause() throws {
        let control = try StopControl()
        control.requestPause()
        #expect(control.requested?.kind == "snapshot")
        control.request(signal: 15)
        control.requestPause()
        #expect(control.requested?.kind == "signal")
        control.endPause()
        #expect(control.requested?.kind == "signal", "and outlives it")
        #expect(control.event.take() > 0, "so does what blocking calls wait for")
    }

    @Test func pauseLeavesNothingBehind() throws {
        let control = try StopControl()
        control.requestPause()
        control.endPause()
        #expect(control.requested == nil)
        #expect(control.event.take() == 0)
    }
}
