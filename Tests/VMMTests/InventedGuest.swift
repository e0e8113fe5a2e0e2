// A guest that is a test: it makes calls without a CPU, and looks at what the VMM makes of them.
//
// Read next: CallTests.swift.

import Backing
import Boot
import CABI
import Glibc
import GuestMemory
import Host
import KVM
import TestSupport
import X86

@testable import VMM

/// A vCPU's context with 1 MiB of memory, which may grow by 16 MiB, and a console of two pipes. A class, because #expect copies what it looks at.
final class InventedGuest {
    var context: VCPUContext
    /// What other threads may look at while a call waits.
    let platform: Platform
    let input = BlockingPipe()
    let output = BlockingPipe()

    /// Where a test's buffers lie.
    static let buffer: UInt64 = 0x8_0000
    /// The first byte behind memory.
    static let end: UInt64 = 1 << 20

    init(console: Console? = nil, devices: GuestDevices? = nil) throws {
        signal(SIGPIPE, SIG_IGN)
        try Thread.installKick()
        let image = AddressMap.imageStart..<AddressMap.imageStart + AddressMap.pageSize
        let layout = try Layout(memorySize: Self.end, image: image, moduleSize: 0)
        let plan = try GrowthPlan(size: 2 << 20, maximum: 18 << 20)
        platform = Platform(
            memory: try GuestMemory(low: layout.low, high: plan.high(layout.high), limit: plan.limit), layout: layout,
            console: console ?? Console(input: input.reader, output: output.writer),
            clock: MachineClock(frequency: 1_000_000_000, hostStart: Clock.tsc(), guestStart: 0),
            control: try StopControl(), quiet: true, growth: Growth(plan, nil, after: SlotTotals()),
            devices: devices)
        context = VCPUContext(platform)
    }

    /// An OUT as the CPU reports it.
    func out(_ port: Int32, size: UInt8 = 4, count: UInt32 = 1, rip: UInt64 = AddressMap.imageStart) -> Action {
        context.handle(.portWrite(port: UInt16(port), size: size, count: count, value: 7), rip: rip)
    }

    func exit(_ exit: Exit, rip: UInt64 = AddressMap.imageStart) -> Action { context.handle(exit, rip: rip) }

    /// Makes a call with these arguments.
    func call<T: BitwiseCopyable>(_ number: Int32, _ arguments: T) -> Action {
        context.answer(arguments)
        return out(SWIFTLET_CALL_PORT + number)
    }

    /// The call page's struct, as the call left it.
    func result<T: BitwiseCopyable>(_ type: T.Type = T.self) -> T? { context.arguments(type) }

    func write(_ text: String, at address: UInt64 = buffer) {
        platform.memory.write(bytes: Array(text.utf8), at: GuestAddress(address))
    }

    func text(_ count: Int, at address: UInt64 = buffer) -> String {
        String(decoding: platform.memory.bytes(GuestAddress(address), count) ?? [], as: UTF8.self)
    }

    func word<T: BitwiseCopyable>(_ address: UInt64, as type: T.Type = T.self) -> T? {
        platform.memory.read(GuestAddress(address))
    }

    /// What the guest did wrong with a call; nil when it did not.
    var misuse: String? {
        if case .misuse(let what)? = context.cause { what } else { nil }
    }

    var cause: Crash.Cause? { context.cause }
    var stop: Stop? { context.stop }

    /// Clock time in ns.
    var now: UInt64 { platform.clock.now() }
}

extension Stop {
    /// The guest's own status; nil for any other stop.
    var guestStatus: UInt8? {
        if case .exited(let status) = self { status } else { nil }
    }
}
