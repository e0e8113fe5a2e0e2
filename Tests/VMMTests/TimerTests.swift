// The timer and the two words that stand in for the interrupt flag: docs/ABI.md, "Interrupts without cli and sti".
//
// Read next: KeyboardTests.swift.

import CABI
import Glibc
import GuestMemory
import Host
import Synchronization
import Testing
import X86

@testable import VMM

private let forever = UInt64(SWIFTLET_NO_DEADLINE)

extension InventedGuest {
    fileprivate func handle(_ vector: UInt32) {
        _ = call(SWIFTLET_CALL_HANDLER, swiftlet_handler(vector: vector, reserved: 0, address: 0x4_0000))
    }

    fileprivate func arm(_ deadline: UInt64, vector: UInt32 = 32) -> Action {
        call(SWIFTLET_CALL_TIMER, swiftlet_timer(deadline: deadline, vector: vector, reserved: 0))
    }

    fileprivate var mask: UInt32? {
        get { word(AddressMap.callPage(vcpu: 0) + UInt64(SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED)) }
        set { set(SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED, newValue) }
    }

    fileprivate var pending: UInt32? {
        get { word(AddressMap.callPage(vcpu: 0) + UInt64(SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING)) }
        set { set(SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING, newValue) }
    }

    private func set(_ offset: Int32, _ value: UInt32?) {
        platform.memory.write(value ?? 0, at: GuestAddress(AddressMap.callPage(vcpu: 0) + UInt64(offset)))
    }
}

@Suite struct TimerTests {
    @Test(
        arguments: [
            (31, "not in 32...255"), (0, "not in 32...255"), (256, "not in 32...255"), (.max, "not in 32...255"),
        ]
            as [(UInt32, String)])
    func vectorsBelow32AreTheCPUs(vector: UInt32, words: String) throws {
        let guest = try InventedGuest()
        #expect(guest.arm(0, vector: vector) == .stop)
        #expect(guest.misuse == "timer: vector \(vector) is \(words)")
    }

    @Test func vectorNeedsAHandler() throws {
        let guest = try InventedGuest()
        guest.handle(33)
        #expect(guest.arm(0, vector: 32) == .stop)
        #expect(guest.misuse == "timer: vector 32 has no handler")
        #expect(guest.context.interruptToInject() == nil)
    }

    /// The kick comes by another clock than the one that judges the deadline: one that comes early is not the last.
    @Test func kickThatCameEarlyComesAgain() throws {
        let kicked = Mutex(false)
        let thread = try Thread {
            guard let guest = try? InventedGuest() else { return }
            guest.handle(32)
            _ = guest.arm(guest.platform.clock.now() + 50_000_000)
            try? guest.context.timer.arm(nanoseconds: nil)  // as if it had come already
            guest.context.kickAgainIfEarly()
            let start = Clock.monotonic()
            _ = wait(for: WaitFor(-1), nanoseconds: 20_000_000_000)
            kicked.withLock { $0 = Clock.monotonic() - start < 19_000_000_000 }
        }
        thread.join()
        #expect(kicked.withLock { $0 })
    }

    @Test func dueTimerIsInjectedOnceAndMasks() throws {
        let guest = try InventedGuest()
        guest.handle(255)
        guest.pending = 7
        #expect(guest.arm(0, vector: 255) == .resume)
        #expect(guest.pending == 0, "set anew")
        #expect(guest.context.interruptToInject() == 255)
        #expect((guest.mask, guest.pending) == (1, 0), "a handler starts masked, as behind an interrupt gate")
        #expect(guest.context.interruptToInject() == nil, "one shot")
    }

    @Test func timerThatIsNotDueWaits() throws {
        let guest = try InventedGuest()
        guest.handle(32)
        #expect(guest.arm(guest.now + 3_600_000_000_000) == .resume)
        #expect(guest.context.interruptToInject() == nil)
        #expect((guest.mask, guest.pending) == (0, 0))
        #expect(guest.arm(forever) == .resume)
        #expect(guest.context.timer.isArmed == false)
        #expect(guest.context.interruptToInject() == nil)
    }

    /// Rules 1 and 2: held back while masked, said in the pending word, delivered after the unmasking call.
    @Test(arguments: [1, 2, UInt32.max])
    func maskedTimerIsPending(mask: UInt32) throws {
        let guest = try InventedGuest()
        guest.handle(32)
        guest.mask = mask
        #expect(guest.arm(0) == .resume)
        #expect(guest.pending == 0)
        for _ in 0..<2 {
            #expect(guest.context.interruptToInject() == nil)
            #expect((guest.mask, guest.pending) == (mask, 1))
        }
        guest.mask = 0
        #expect(guest.poll(0) == .resume)
        #expect(guest.context.interruptToInject() == 32)
        #expect((guest.mask, guest.pending) == (1, 0))
    }

    @Test func armingAnewReplaces() throws {
        let guest = try InventedGuest()
        guest.handle(32)
        guest.handle(40)
        #expect(guest.arm(0, vector: 32) == .resume)
        #expect(guest.arm(0, vector: 40) == .resume)
        #expect(guest.context.interruptToInject() == 40)
        #expect(guest.context.interruptToInject() == nil)
    }

    @Test func armingAnewTakesThePendingOneBack() throws {
        let guest = try InventedGuest()
        guest.handle(32)
        guest.mask = 1
        _ = guest.arm(0)
        _ = guest.context.interruptToInject()
        #expect(guest.pending == 1)
        #expect(guest.arm(forever) == .resume)
        #expect(guest.pending == 0)
        guest.mask = 0
        #expect(guest.context.interruptToInject() == nil)
    }

    @Test func timerEndsASleepAndARead() throws {
        let guest = try InventedGuest()
        guest.handle(32)
        #expect(guest.arm(guest.now + 2_000_000) == .resume)
        #expect(guest.poll(UInt32(SWIFTLET_POLL_CONSOLE), deadline: forever) == .resume)
        #expect(guest.ready == 0)
        #expect(guest.context.interruptToInject() == 32)
        guest.mask = 0
        #expect(guest.arm(guest.now + 2_000_000) == .resume)
        #expect(guest.read(4, deadline: forever) == .resume)
        #expect(guest.readResult == Int64(SWIFTLET_TIMED_OUT))
        #expect(guest.context.interruptToInject() == 32)
    }

    @Test func maskedTimerEndsNoSleep() throws {
        let guest = try InventedGuest()
        guest.handle(32)
        guest.mask = 1
        #expect(guest.arm(0) == .resume)
        let deadline = guest.now + 3_000_000
        #expect(guest.poll(0, deadline: deadline) == .resume)
        #expect(guest.now >= deadline)
    }
}

@Suite struct MachineClockTests {
    @Test func deadlinesAreClockTime() throws {
        let guest = try InventedGuest()
        let clock = guest.platform.clock
        #expect(clock.remaining(until: forever) == nil)
        #expect(clock.remaining(until: 0) == 0)
        #expect(clock.remaining(until: clock.now()) == 0)
        let left = clock.remaining(until: clock.now() + 1_000_000_000)
        #expect((1...1_000_000_000).contains(left ?? 0))
        #expect(clock.remaining(until: forever - 1) ?? 0 > 1 << 63)
    }

    /// A TSC that is behind its start (threads on cores that disagree) is no time of 200 years.
    @Test func timeBeforeTheStartIsZero() {
        let clock = MachineClock(frequency: 1_000_000_000, hostStart: .max, guestStart: 0)
        let future = MachineClock(frequency: 1_000_000_000, hostStart: 1 << 62, guestStart: 0)
        #expect(future.now() == 0)
        #expect(clock.now() < UInt64.max >> 1)
    }

    @Test func pageIsPVClocksLayout() {
        let clock = MachineClock(frequency: 2_500_000_000, hostStart: 5, guestStart: 77)
        let page = clock.page
        #expect((page.version, page.flags, page.tsc_timestamp, page.system_time) == (2, 1, 77, 0))
        #expect((page.tsc_to_system_mul, page.tsc_shift) == (3_435_973_836, -1))
    }
}

/// A guest with a ring whose interrupt is vector 40, raised here in its thread's place.
@Suite struct RingInterruptTests {
    private let guest: InventedGuest
    private let interrupts: RingInterrupts

    init() throws {
        let devices = try GuestDevices([])
        guest = try InventedGuest(devices: devices)
        interrupts = devices.interrupts[0]
    }

    private func ring(_ vector: UInt32, at address: UInt64 = 0x9_0000) -> Action {
        guest.call(
            SWIFTLET_CALL_RING,
            swiftlet_ring_setup(address: address, entries: 8, ring: 0, vector: vector, reserved: 0))
    }

    @Test(arguments: [31, 41, 256, .max] as [UInt32])
    func vectorNeedsAHandler(vector: UInt32) throws {
        guest.handle(40)
        #expect(ring(vector) == .stop)
        #expect(guest.misuse == "ring: vector \(vector) is not in 32...255, or has no handler")
        guest.platform.devices?.stop(finishing: false)
    }

    @Test func isDeliveredOnceAndMasksAsTheTimersDoes() throws {
        guest.handle(40)
        guest.handle(41)
        #expect(ring(40) == .resume && ring(41, at: 0xa_0000) == .resume)
        #expect(guest.context.interruptToInject() == nil)
        #expect(interrupts.raise(1) && interrupts.raise(0))
        #expect(!interrupts.raise(0), "the vCPU knows already")
        #expect(guest.context.interruptToInject() == 40)
        #expect(guest.mask == 1 && guest.pending == 1, "the other ring's is held back")
        #expect(guest.context.timer.isWatched == true)
        guest.mask = 0
        #expect(guest.context.interruptToInject() == 41)
        #expect(guest.mask == 1 && guest.pending == 0)
        guest.mask = 0
        #expect(guest.context.interruptToInject() == nil)
        #expect(guest.context.timer.isWatched == false)
        guest.platform.devices?.stop(finishing: false)
    }

    @Test func isHeldBackWhileMasked() throws {
        guest.handle(40)
        #expect(ring(40) == .resume)
        guest.mask = 1
        #expect(interrupts.raise(0))
        #expect(guest.context.interruptToInject() == nil && guest.pending == 1)
        #expect(guest.context.timer.isWatched == true, "the call behind unmasking has it delivered")
        guest.mask = 0
        #expect(guest.context.interruptToInject() == 40 && guest.pending == 0)
        guest.platform.devices?.stop(finishing: false)
    }

    /// A kick just before the wait is not missed: the event is level-triggered.
    @Test(arguments: [0, SWIFTLET_POLL_CONSOLE, 0x100])
    func endsAWait(events: Int32) throws {
        guest.handle(40)
        #expect(ring(40) == .resume)
        #expect(interrupts.raise(0))
        let call = swiftlet_poll(deadline: forever, events: UInt32(events), ready: 99)
        #expect(guest.call(SWIFTLET_CALL_POLL, call) == .resume)
        #expect(guest.result(swiftlet_poll.self)?.ready == 0)
        guest.mask = 1
        let soon = swiftlet_poll(deadline: guest.now + 2_000_000, events: UInt32(events), ready: 99)
        #expect(guest.call(SWIFTLET_CALL_POLL, soon) == .resume)
        #expect(guest.now >= soon.deadline, "held back, it ends none")
        guest.platform.devices?.stop(finishing: false)
    }
}
