// Several vCPUs without KVM: who is parked, who waits for whose commit, whose end counts, and services that all use at once.
//
// Read next: Sources/VMM/Processors/Processors.swift.

import Boot
import CABI
import Foundation
import GuestMemory
import Host
import KVM
import Synchronization
import TestSupport
import Testing
import X86

@testable import VMM

/// A machine of several vCPUs, of which none runs.
private struct InventedProcessors {
    let processors: Processors
    let platform: Platform
    let output = BlockingPipe()

    init(_ count: Int) throws {
        let image = AddressMap.imageStart..<AddressMap.imageStart + AddressMap.pageSize
        let layout = try Layout(memorySize: 1 << 20, image: image, moduleSize: 0)
        processors = try #require(try Processors(count, root: 0x5_0000))
        try Thread.installKick()
        platform = Platform(
            memory: try GuestMemory(low: layout.low, high: layout.high), layout: layout,
            console: Console(input: -1, output: output.writer),
            clock: MachineClock(frequency: 1_000_000_000, hostStart: Clock.tsc(), guestStart: 0),
            control: try StopControl(), quiet: true, processors: processors)
    }

    /// A call of one of them; whether it goes on, and what it did wrong.
    func call<T: BitwiseCopyable>(_ vcpu: Int, _ number: Int32, _ arguments: T) -> String? {
        var context = VCPUContext(platform, index: vcpu)
        let before = context.receive(processors)
        context.answer(arguments)
        let port = UInt16(SWIFTLET_CALL_PORT + number)
        guard case .stop = context.handle(.portWrite(port: port, size: 4, count: 1, value: 0), rip: 0x4_0000) else {
            context.share(before, processors)
            return nil
        }
        if case .misuse(let what)? = context.cause { return what }
        return "stopped"
    }
}

/// Two vCPUs' parking. A class, because #expect copies what it looks at.
private final class Lot {
    private var parking = Parking()
    func note(_ bit: UInt64, _ isParked: Bool) -> Bool { parking.note(bit, isParked, of: 2) }
}

@Suite struct ProcessorTests {
    @Test func oneVCPUNeedsNone() throws {
        #expect(try Processors(1) == nil)
    }

    @Test func allAreParkedWhenAllHaveSaidSoTwice() {
        let lot = Lot()
        let both: [UInt64] = [1, 2]
        for bit in both { #expect(!lot.note(bit, true)) }
        for bit in both { #expect(!lot.note(bit, true)) }
        #expect(!lot.note(1, true))
        #expect(lot.note(2, true))
    }

    @Test func oneThatRunsKeepsTheMachineAlive() {
        let lot = Lot()
        for _ in 0..<10 {
            #expect(!lot.note(1, true))
            #expect(!lot.note(2, false))
        }
    }

    /// The second was parked, is woken by the first, which parks: what the second said before does not count.
    @Test func whoParksTakesTheOthersWordBack() {
        let lot = Lot()
        for _ in 0..<5 { _ = lot.note(2, true) }
        #expect(!lot.note(1, true))
        #expect(!lot.note(1, true))
        #expect(!lot.note(2, false))
        #expect(!lot.note(1, true))
        #expect(!lot.note(1, true))
    }

    @Test func theFirstEndIsTheMachines() throws {
        let machine = try InventedProcessors(3)
        machine.processors.ended(2, .exited(status: 7), machine.platform.control)
        #expect(machine.platform.control.requested?.kind == "exit")
        #expect(machine.processors.spokesman == 2)
        #expect(!machine.processors.haveEnded)
        machine.processors.ended(0, .exited(status: 0), machine.platform.control)
        machine.processors.ended(1, nil, machine.platform.control)
        #expect(machine.processors.haveEnded)
        #expect(machine.processors.spokesman == 2)
    }

    @Test func aSignalThatCameFirstStaysTheReason() throws {
        let machine = try InventedProcessors(2)
        machine.platform.control.request(signal: 15)
        machine.processors.ended(1, .signalled(15), machine.platform.control)
        #expect(machine.platform.control.requested?.exitStatus == 143)
    }

    @Test func aPauseOfOneIsAPauseOfAllAndAnEndIsMore() throws {
        let machine = try InventedProcessors(3)
        machine.processors.ended(1, .paused(byGuest: true), machine.platform.control)
        guard case .paused? = machine.platform.control.requested else {
            Issue.record("the others are not asked to pause")
            return
        }
        machine.processors.ended(0, .paused(byGuest: false), machine.platform.control)
        #expect(machine.processors.spokesman == 1)
        machine.processors.ended(2, .exited(status: 3), machine.platform.control)
        #expect(machine.processors.spokesman == 2)
        #expect(machine.platform.control.requested?.kind == "exit")
        machine.processors.begin()
        #expect(!machine.processors.haveEnded)
    }

    @Test func aCommitWaitsForWhoIsInTheGuestAndForNobodyElse() throws {
        let machine = try InventedProcessors(3)
        #expect(machine.call(0, SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0)) == nil)
        let inside = machine.processors.slots[1]
        inside.isInside.store(true, ordering: .sequentiallyConsistent)
        let begun = Clock.monotonic()
        let leaver = try KeptThread {
            _ = wait(for: WaitFor(-1), nanoseconds: 50_000_000)
            inside.isInside.store(false, ordering: .sequentiallyConsistent)
        }
        #expect(machine.call(0, SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0)) == nil)
        #expect(Clock.monotonic() - begun >= 50_000_000)
        leaver.join()
    }

    @Test func aCommitIsOverWhenTheOthersHaveFlushed() throws {
        let machine = try InventedProcessors(2)
        let inside = machine.processors.slots[1]
        inside.isInside.store(true, ordering: .sequentiallyConsistent)
        inside.seen.store(1, ordering: .sequentiallyConsistent)
        #expect(machine.call(0, SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0)) == nil)
    }

    @Test func aStopEndsTheWaitOfACommit() throws {
        let machine = try InventedProcessors(2)
        machine.processors.slots[1].isInside.store(true, ordering: .sequentiallyConsistent)
        machine.platform.control.request(signal: 2)
        #expect(machine.call(0, SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0)) == nil)
    }

    @Test func aVCPUIsStartedOnceWithTheCallersTables() throws {
        let machine = try InventedProcessors(2)
        let root = swiftlet_commit(root: 0x6_0000)
        #expect(machine.call(0, SWIFTLET_CALL_COMMIT, root) == nil)
        let start = swiftlet_start_vcpu(vcpu: 1, entry: 0x4_0000, stack: 0x8_0000, argument: 7)
        #expect(machine.call(0, SWIFTLET_CALL_START_VCPU, start) == nil)
        let state = machine.processors.slots[1].start.withLock { $0 }
        #expect(state == CPUState(rip: 0x4_0000, rsp: 0x8_0000, rdi: 7, cr3: 0x6_0000))
        #expect(
            machine.call(0, SWIFTLET_CALL_START_VCPU, start) == "start vcpu: vCPU 1 was started before")
    }

    @Test(
        arguments: [
            (0, 0x4_0000, 0x8_0000, "vCPU 0, and the machine has 2"),
            (2, 0x4_0000, 0x8_0000, "vCPU 2, and the machine has 2"),
            (.max, 0x4_0000, 0x8_0000, "and the machine has 2"), (1, 1 << 47, 0x8_0000, "not canonical"),
            (1, 0x4_0000, 1 << 63, "not canonical"),
        ] as [(UInt64, UInt64, UInt64, String)])
    func aStartThatCannotBeIsMisuse(vcpu: UInt64, entry: UInt64, stack: UInt64, message: String) throws {
        let machine = try InventedProcessors(2)
        let start = swiftlet_start_vcpu(vcpu: vcpu, entry: entry, stack: stack, argument: 0)
        let found = machine.call(0, SWIFTLET_CALL_START_VCPU, start)
        #expect(found?.contains(message) == true, "\(found ?? "no misuse")")
        #expect(machine.processors.slots[1].start.withLock { $0 } == nil)
    }

    @Test func aHandlerIsEveryVCPUs() throws {
        let machine = try InventedProcessors(2)
        let timer = swiftlet_timer(deadline: .max, vector: 40, reserved: 0)
        #expect(machine.call(1, SWIFTLET_CALL_TIMER, timer) == "timer: vector 40 has no handler")
        let handler = swiftlet_handler(vector: 40, reserved: 0, address: 0x4_0000)
        #expect(machine.call(0, SWIFTLET_CALL_HANDLER, handler) == nil)
        #expect(machine.call(1, SWIFTLET_CALL_TIMER, timer) == nil)
    }

    /// Every service from four threads at once: no call fails, and what they write is whole.
    @Test func servicesAreUsedByAllAtOnce() throws {
        let machine = try InventedProcessors(4)
        let wrong = Mutex<[String]>([])
        let threads = try (0..<4).map { vcpu in
            try KeptThread {
                for turn in 0..<200 {
                    let address = UInt64(0x4_0000 + vcpu * 0x1000)
                    let vector = UInt32(32 + turn % 8)
                    let results = [
                        machine.call(
                            vcpu, SWIFTLET_CALL_HANDLER, swiftlet_handler(vector: vector, reserved: 0, address: address)
                        ),
                        machine.call(
                            vcpu, SWIFTLET_CALL_ENTROPY, swiftlet_entropy(buffer: 0x8_0000 + address, length: 64)),
                        machine.call(
                            vcpu, SWIFTLET_CALL_RECLAIM, swiftlet_reclaim(start: 0x8_0000 + address, size: 4096)),
                        machine.call(vcpu, SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0)),
                        machine.call(vcpu, SWIFTLET_CALL_WALL_TIME, swiftlet_wall_time()),
                        machine.call(vcpu, SWIFTLET_CALL_POLL, swiftlet_poll(deadline: 0, events: 0, ready: 0)),
                    ]
                    wrong.withLock { $0 += results.compactMap { $0 } }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.withLock { $0 } == [])
        for vector in 32..<40 {
            let low = machine.platform.memory.machinePointer(AddressMap.idt + UInt64(vector) * 16, 16)
            let gate = try #require(unsafe low?.loadUnaligned(as: UInt64.self))
            let address = gate & 0xffff | (gate >> 48) << 16
            #expect((0x4_0000..<0x4_4000).contains(address) && address % 0x1000 == 0)
        }
    }
}
