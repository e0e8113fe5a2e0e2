// Calls that wait, in a thread as a vCPU's: what wakes them, and that a stop always gets through.
//
// Without what the test does they would wait for ever, so that they end at all is the proof. Read next: TimerTests.swift.

import CABI
import Glibc
import Host
import TestSupport
import Testing

@testable import VMM

/// A call on a thread of its own, and a way to end it.
private struct BlockedCall: ~Copyable {
    let guest: InventedGuest
    private let outcome = Shared()
    private let thread: Thread

    init(_ guest: InventedGuest, _ call: @escaping @Sendable (InventedGuest) -> Action) throws {
        self.guest = guest
        let box = Box(guest: guest)
        let outcome = outcome
        thread = try Thread {
            outcome.value = call(box.guest) == .resume ? 1 : 2
            outcome.isDone = true
        }
    }

    /// Sound: the test looks at the guest only after `join`.
    private struct Box: @unchecked Sendable { let guest: InventedGuest }

    /// As the main thread does it: a reason, and kicks until it has ended.
    consuming func stop() -> Bool {
        guest.platform.control.request(signal: SIGTERM)
        while !outcome.isDone {
            thread.kick()
            usleep(1000)
        }
        return join()
    }

    /// Kicks without a reason, as the guest's timer or a second vCPU may.
    borrowing func kick(times: Int) {
        for _ in 0..<times {
            thread.kick()
            usleep(200)
        }
    }

    /// Whether the guest would run on.
    consuming func join() -> Bool {
        thread.join()
        return outcome.value == 1
    }
}

@Suite struct BlockedCallTests {
    private static let forever = UInt64(SWIFTLET_NO_DEADLINE)

    private static let calls: [@Sendable (InventedGuest) -> Action] = [
        { $0.read(4, deadline: forever) }, { $0.poll(0, deadline: forever) },
        { $0.poll(UInt32(SWIFTLET_POLL_CONSOLE), deadline: forever) },
        { $0.poll(0, deadline: forever - 1) }, { $0.write(0x4_0000) },
    ]

    @Test(arguments: 0..<5)
    func stopGetsThrough(call: Int) throws {
        let guest = try InventedGuest()
        if call == 4 { _ = guest.output.fill() }
        let blocked = try BlockedCall(guest, Self.calls[call])
        let goesOn = blocked.stop()
        #expect(!goesOn)
        #expect(guest.stop?.exitStatus == 128 + SIGTERM)
        #expect(guest.cause == nil)
    }

    /// The reason may be there before the call: then nothing waits at all.
    @Test(arguments: 0..<4)
    func stopThatCameFirst(call: Int) throws {
        let guest = try InventedGuest()
        guest.platform.control.requestTimeout()
        #expect(Self.calls[call](guest) == .stop)
        #expect(guest.stop?.kind == "timeout")
    }

    @Test func kickAloneEndsNothing() throws {
        let guest = try InventedGuest()
        let blocked = try BlockedCall(guest, Self.calls[0])
        blocked.kick(times: 20)
        guest.input.write("x")
        let goesOn = blocked.join()
        #expect(goesOn)
        #expect(guest.readResult == 1)
    }

    @Test func inputWakesAPoll() throws {
        let guest = try InventedGuest()
        let blocked = try BlockedCall(guest, Self.calls[2])
        guest.input.write("x")
        let goesOn = blocked.join()
        #expect(goesOn)
        #expect(guest.ready == UInt32(SWIFTLET_POLL_CONSOLE))
    }

    @Test func endOfInputWakesARead() throws {
        let guest = try InventedGuest()
        let blocked = try BlockedCall(guest, Self.calls[0])
        guest.input.closeWriter()
        let goesOn = blocked.join()
        #expect(goesOn)
        #expect(guest.readResult == 0)
    }

    /// The reader is slow: the write takes several system calls, and every byte arrives once.
    @Test(arguments: [true, false])
    func slowReaderGetsEverything(isBlocking: Bool) throws {
        let guest = try InventedGuest()
        if !isBlocking { _ = fcntl(guest.output.writer, F_SETFL, O_NONBLOCK) }
        let count = 0x4_0000
        let text = String((0..<count).map { Character(UnicodeScalar(UInt8(0x20 + $0 % 64))) })
        guest.write(text)
        let blocked = try BlockedCall(guest) { $0.write(UInt64(count)) }
        var received = ""
        while received.utf8.count < count {
            blocked.kick(times: 1)
            received += guest.output.readText()
        }
        let goesOn = blocked.join()
        #expect(goesOn)
        #expect(received == text)
    }

    @Test func readerThatLeavesEndsABlockedWrite() throws {
        let guest = try InventedGuest()
        _ = guest.output.fill()
        let blocked = try BlockedCall(guest) { $0.write(0x4_0000) }
        guest.output.closeReader()
        let goesOn = blocked.join()
        #expect(!goesOn)
        #expect(guest.stop?.kind == "console-gone")
    }
}
