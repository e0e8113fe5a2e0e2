// Waiting: readiness, ends, deadlines and kicks. What must not happen has no clock here: only that it ends.
//
// Read next: ConsoleTests.swift.

import Glibc
import Host
import Synchronization
import TestSupport
import Testing

@testable import KVM

@Suite struct WaitTests {
    @Test func readyIsSaidOfTheRightOne() {
        let (empty, full) = (BlockingPipe(), BlockingPipe())
        full.write("x")
        #expect(wait(for: WaitFor(full.reader), nanoseconds: nil) == (true, false, false))
        #expect(wait(for: WaitFor(empty.reader), WaitFor(full.reader), nanoseconds: nil) == (false, true, false))
        #expect(
            wait(for: WaitFor(empty.reader), nil, WaitFor(full.reader), nanoseconds: nil) == (false, false, true))
        #expect(wait(for: WaitFor(empty.writer, write: true), nanoseconds: nil) == (true, false, false))
    }

    @Test func nothingHappensUntilTheDeadline() {
        let pipe = BlockingPipe()
        let before = Clock.monotonic()
        #expect(wait(for: WaitFor(pipe.reader), nanoseconds: 2_000_000) == (false, false, false))
        #expect(Clock.monotonic() - before >= 2_000_000)
        #expect(wait(for: WaitFor(pipe.reader), nanoseconds: 0) == (false, false, false), "a look")
        _ = pipe.fill()
        #expect(wait(for: WaitFor(pipe.writer, write: true), nanoseconds: 0) == (false, false, false))
    }

    @Test func endsAndErrorsAreReady() {
        let pipe = BlockingPipe()
        pipe.closeWriter()
        #expect(wait(for: WaitFor(pipe.reader), nanoseconds: nil).0, "hung up")
        let other = BlockingPipe()
        _ = other.fill()
        other.closeReader()
        #expect(wait(for: WaitFor(other.writer, write: true), nanoseconds: nil).0, "in error")
        #expect(wait(for: WaitFor(1_000_000), nanoseconds: nil).0, "no descriptor at all")
    }

    @Test func negativeDescriptorsAreIgnored() {
        let pipe = BlockingPipe()
        pipe.write("x")
        #expect(wait(for: WaitFor(-1), WaitFor(pipe.reader), nanoseconds: nil) == (false, true, false))
        #expect(wait(for: WaitFor(-1), nanoseconds: 1) == (false, false, false))
    }

    /// .max nanoseconds are no negative time, and are cut to what a timespec holds.
    @Test func longestWaitEndsByAnEvent() throws {
        let event = try EventFD()
        event.signal()
        #expect(wait(for: WaitFor(event.fd), nanoseconds: .max) == (true, false, false))
        #expect(event.take() == 1)
        #expect(event.take() == 0)
    }
}

/// A thread of ours that waits in the kernel, and how it ended.
@Suite struct ThreadTests {
    init() throws { try Thread.installKick() }

    @Test func threadRunsItsBody() throws {
        let ran = Shared()
        let thread = try Thread { ran.value = 7 }
        thread.join()
        #expect(ran.value == 7)
    }

    /// A read from an empty pipe never ends by itself: only the kick ends it.
    @Test func kickEndsABlockedRead() throws {
        let pipe = BlockingPipe()
        let outcome = Shared()
        let thread = try Thread {
            var byte: UInt8 = 0
            let result = read(pipe.reader, &byte, 1)
            outcome.value = result < 0 ? errno : 0
            outcome.isDone = true
        }
        while !outcome.isDone {
            thread.kick()
            usleep(1000)
        }
        thread.join()
        #expect(outcome.value == EINTR)
    }

    @Test func aThreadGivesItselfForOthersToKick() throws {
        try Thread.installKick()
        let pipe = BlockingPipe()
        let outcome = Shared()
        let reference = Mutex<ThreadReference?>(nil)
        let thread = try Thread {
            reference.withLock { $0 = ThreadReference.current }
            var byte: UInt8 = 0
            let result = read(pipe.reader, &byte, 1)
            outcome.value = result < 0 ? errno : 0
            outcome.isDone = true
        }
        while !outcome.isDone {
            reference.withLock { $0 }?.kick()
            usleep(1000)
        }
        thread.join()
        #expect(outcome.value == EINTR)
    }

    @Test func kickSetsTheThreadsByte() throws {
        let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        defer { byte.deallocate() }
        byte.pointee = 0
        let address = UInt(bitPattern: byte)
        let thread = try Thread {
            Thread.setKickByte(address: address)
            pthread_kill(pthread_self(), SIGUSR1)  // what a kick is
            Thread.setKickByte(address: 0)
            pthread_kill(pthread_self(), SIGUSR1)  // nowhere to write: does nothing
        }
        thread.join()
        #expect(byte.pointee == 1)
    }

    @Test func timerKicksTheThreadThatMadeIt() throws {
        let pipe = BlockingPipe()
        let outcome = Shared()
        let thread = try Thread {
            guard let timer = try? KickTimer() else { return }
            timer.arm(nanoseconds: nil)
            for nanoseconds: UInt64 in [0, 1, 1_000_000] {
                timer.arm(nanoseconds: nanoseconds)
                // Ends by EINTR alone: nobody writes. The timer may have fired before the wait: then it is armed anew.
                while wait(for: WaitFor(pipe.reader), nanoseconds: 5_000_000) != (false, false, false) {}
                outcome.value += 1
            }
        }
        thread.join()
        #expect(outcome.value == 3)
    }
}
