// hvt's calls on networks with invented exits: frames, buffers, and a poll that a frame ends.
//
// Read next: InventedUnikernel.swift, Sources/VMM/Hvt/HvtNet.swift.

import Glibc
import GuestMemory
import Host
import TestSupport
import Testing

@testable import VMM

@Suite struct HvtNetTests {
    private let wire = SocketWire()
    private let buffer = InventedUnikernel.buffer

    private func call(
        _ guest: InventedUnikernel, _ number: UInt16, handle: UInt64 = 1, data: UInt64 = InventedUnikernel.buffer,
        length: UInt64
    ) -> HvtNetCall? {
        let call = HvtNetCall(handle: handle, data: data, length: length, result: 77, padding: 0)
        guard guest.call(number, call) == .resume else { return nil }
        return guest.result(HvtNetCall.self)
    }

    @Test func framesAreSentAndReceived() throws {
        let guest = try InventedUnikernel(wire: wire)
        let frame = (0..<100).map { UInt8($0) }
        guest.platform.memory.write(bytes: frame, at: GuestAddress(buffer))
        #expect(call(guest, 6, length: 100)?.result == 0)
        #expect(wire.receive() == frame)
        #expect(call(guest, 7, length: 1514)?.result == 1, "no frame waits")
        wire.send(frame.reversed())
        let answer = call(guest, 7, length: 1514)
        #expect(answer?.result == 0 && answer?.length == 100)
        #expect(guest.platform.memory.bytes(GuestAddress(buffer), 100) == frame.reversed())
    }

    @Test func otherHandlesAndFramesThatAreNone() throws {
        let guest = try InventedUnikernel(wire: wire)
        for handle in [0, 2, 63, 64, .max] as [UInt64] {
            #expect(call(guest, 6, handle: handle, length: 60)?.result == 2)
            #expect(call(guest, 7, handle: handle, data: .max, length: .max)?.result == 2)
        }
        for length in [0, 13, 1519, 100_000] as [UInt64] { #expect(call(guest, 6, length: length)?.result == 2) }
        #expect(wire.isEmpty)
    }

    @Test func buffersOutsideOfMemory() throws {
        let guest = try InventedUnikernel(wire: wire)
        let end = InventedUnikernel.end
        for (data, length) in [(end - 60, 60), (end, 60), (.max, 60), (.max - 59, 60), (0, .max), (end + 64, 60)]
            as [(UInt64, UInt64)]
        {
            #expect(call(guest, 6, data: data, length: length) == nil)
            #expect(call(guest, 7, data: data, length: length) == nil)
            #expect(guest.misuse?.hasPrefix("Invalid guest access") == true)
        }
        #expect(call(guest, 7, data: InventedUnikernel.text, length: 1514) == nil, "into code")
    }

    @Test func frameEndsAPoll() throws {
        let guest = try InventedUnikernel(wire: wire)
        wire.send([UInt8](repeating: 1, count: 60))
        let poll = HvtPollCall(timeout: .max, readySet: 0, result: 0, padding: 0)
        #expect(guest.call(3, poll) == .resume)
        let answer = guest.result(HvtPollCall.self)
        #expect(answer?.readySet == 2 && answer?.result == 1)
    }

    @Test func stopEndsASendThatFindsNoRoom() throws {
        let guest = try InventedUnikernel(wire: wire)
        guest.platform.control.request(signal: SIGTERM)
        // Until the wire is full; nobody takes a frame from it.
        var isStopped = false
        for _ in 0..<1_000_000 where !isStopped { isStopped = call(guest, 6, length: 1000) == nil }
        if case .signalled(SIGTERM)? = guest.context.stop {} else { Issue.record("it did not end by the signal") }
    }
}
