// Console write, console read and poll over pipes: data, ends, closed descriptors, deadlines.
//
// Read next: BlockedCallTests.swift.

import CABI
import Glibc
import Host
import TestSupport
import Testing

@testable import VMM

extension InventedGuest {
    func write(_ count: UInt64, at address: UInt64 = buffer) -> Action {
        call(SWIFTLET_CALL_CONSOLE_WRITE, swiftlet_console_write(buffer: address, length: count))
    }

    /// A deadline of 0 has passed: a look.
    func read(_ count: UInt64, deadline: UInt64 = 0, at address: UInt64 = buffer) -> Action {
        call(
            SWIFTLET_CALL_CONSOLE_READ,
            swiftlet_console_read(buffer: address, length: count, deadline: deadline, result: -99))
    }

    var readResult: Int64? { result(swiftlet_console_read.self)?.result }

    func poll(_ events: UInt32, deadline: UInt64 = 0) -> Action {
        call(SWIFTLET_CALL_POLL, swiftlet_poll(deadline: deadline, events: events, ready: 99))
    }

    var ready: UInt32? { result(swiftlet_poll.self)?.ready }
}

@Suite struct ConsoleWriteTests {
    @Test func bytesArriveInOrder() throws {
        let guest = try InventedGuest()
        guest.write("Hello from ring 3!\n")
        #expect(guest.write(19) == .resume)
        #expect(guest.write(5, at: InventedGuest.buffer + 6) == .resume)
        #expect(guest.output.readText() == "Hello from ring 3!\nfrom ")
    }

    @Test(arguments: [0, InventedGuest.buffer, InventedGuest.end, UInt64.max])
    func noBytesAreNoBuffer(address: UInt64) throws {
        let guest = try InventedGuest()
        #expect(guest.write(0, at: address) == .resume)
    }

    @Test func readerThatIsGoneStopsTheMachine() throws {
        let guest = try InventedGuest()
        guest.output.closeReader()
        #expect(guest.write(1) == .stop)
        #expect(guest.stop?.kind == "console-gone")
        #expect(guest.stop?.exitStatus == 141)
        #expect(guest.cause == nil)
    }

    @Test func closedOutputStopsTheMachine() throws {
        let guest = try InventedGuest(console: Console(input: -1, output: -1))
        #expect(guest.write(1) == .stop)
        guard case .hostFailed(_, let errno)? = guest.stop else {
            Issue.record("\(String(describing: guest.stop))")
            return
        }
        #expect(errno == EBADF)
        #expect(guest.stop?.exitStatus == 125)
    }

    @Test func fullDiskStopsTheMachine() throws {
        let full = try File("/dev/full", .create)
        let guest = try InventedGuest(console: Console(input: -1, output: full.fd))
        #expect(guest.write(1) == .stop)
        #expect(guest.stop?.kind == "error")
    }
}

@Suite struct ConsoleReadTests {
    @Test func takesWhatIsThere() throws {
        let guest = try InventedGuest()
        guest.input.write("abcdef")
        #expect(guest.read(4) == .resume)
        #expect(guest.readResult == 4)
        #expect(guest.text(5) == "abcd\0")
        #expect(guest.read(100, deadline: UInt64(SWIFTLET_NO_DEADLINE)) == .resume)
        #expect(guest.readResult == 2)
    }

    @Test func lookAtNothingTimesOut() throws {
        let guest = try InventedGuest()
        #expect(guest.read(4) == .resume)
        #expect(guest.readResult == Int64(SWIFTLET_TIMED_OUT))
        #expect(guest.read(4, deadline: guest.now + 1_000_000) == .resume)
        #expect(guest.readResult == Int64(SWIFTLET_TIMED_OUT))
        #expect(guest.text(4) == "\0\0\0\0")
    }

    @Test func endOfInputIsZeroEveryTime() throws {
        let guest = try InventedGuest()
        guest.input.write("x")
        guest.input.closeWriter()
        for expected: Int64 in [1, 0, 0] {
            #expect(guest.read(4, deadline: UInt64(SWIFTLET_NO_DEADLINE)) == .resume)
            #expect(guest.readResult == expected)
        }
    }

    @Test func closedInputIsAtItsEnd() throws {
        let guest = try InventedGuest(console: Console(input: 1_000_000, output: -1))
        #expect(guest.read(4, deadline: UInt64(SWIFTLET_NO_DEADLINE)) == .resume)
        #expect(guest.readResult == 0)
    }

    @Test func folderForAnInputStopsTheMachine() throws {
        let folder = try File("/", .read)
        let guest = try InventedGuest(console: Console(input: folder.fd, output: -1))
        #expect(guest.read(4) == .stop)
        #expect(guest.stop?.exitStatus == 125)
    }

    @Test func lengthZeroIsMisuse() throws {
        let guest = try InventedGuest()
        #expect(guest.read(0) == .stop)
        #expect(guest.misuse == "console read: length 0")
    }
}

@Suite struct PollTests {
    private let console = UInt32(SWIFTLET_POLL_CONSOLE)

    @Test func inputIsReady() throws {
        let guest = try InventedGuest()
        #expect(guest.poll(console) == .resume)
        #expect(guest.ready == 0)
        guest.input.write("x")
        #expect(guest.poll(0) == .resume)
        #expect(guest.ready == 0, "nobody asked for it")
        for deadline in [0, UInt64(SWIFTLET_NO_DEADLINE)] {
            #expect(guest.poll(console, deadline: deadline) == .resume)
            #expect(guest.ready == console)
        }
    }

    @Test func endOfInputIsReady() throws {
        let guest = try InventedGuest()
        guest.input.closeWriter()
        #expect(guest.poll(console, deadline: UInt64(SWIFTLET_NO_DEADLINE)) == .resume)
        #expect(guest.ready == console)
    }

    @Test func sleepEndsAtItsDeadline() throws {
        let guest = try InventedGuest()
        let deadline = guest.now + 2_000_000
        #expect(guest.poll(0, deadline: deadline) == .resume)
        #expect(guest.now >= deadline)
        #expect(guest.poll(console, deadline: guest.now + 1_000_000) == .resume)
        #expect(guest.ready == 0)
    }

    @Test(arguments: [2, 3, 0x8000_0000, UInt32.max])
    func unknownEventsAreMisuse(events: UInt32) throws {
        let guest = try InventedGuest()
        #expect(guest.poll(events) == .stop)
        #expect(guest.misuse == "poll: events 0x\(String(events, radix: 16)) name what this machine has not")
    }
}
