// A vCPU's context without KVM: exits are invented, calls are real. For tests, fuzzers and benchmarks of the exit path.
//
// Not part of the public API: `@_spi(InventedExits) import VMM`. Read next: VCPUContext.swift.

import Backing
import Boot
import Devices
import GuestMemory
import Host
import KVM
import Rings
import X86

/// A machine whose guest is the caller.
@_spi(InventedExits) public struct InventedExits: ~Copyable {
    private var context: VCPUContext

    /// A machine of `memorySize` bytes with its call page where a real one has it. The console is two descriptors.
    /// A quiet one writes no log lines. Memory may grow by 16 MiB. With a disk it has devices: that and the console.
    public init(memorySize: UInt64, console: Console, quiet: Bool = true, disk: BlockDevice? = nil) throws {
        let image = AddressMap.imageStart..<AddressMap.imageStart + AddressMap.pageSize
        let layout = try Layout(memorySize: memorySize, image: image, moduleSize: 0)
        let plan = try GrowthPlan(size: 2 << 20, maximum: 18 << 20)
        context = VCPUContext(
            Platform(
                memory: try GuestMemory(low: layout.low, high: plan.high(layout.high), limit: plan.limit),
                layout: layout, console: console,
                clock: MachineClock(frequency: 1_000_000_000, hostStart: Clock.tsc(), guestStart: 0),
                control: try StopControl(), quiet: quiet, growth: Growth(plan, nil, after: SlotTotals()),
                devices: try disk.map { try GuestDevices([.block($0), .console(console)]) }))
    }

    /// Rings' threads use its memory.
    deinit { context.platform.devices?.stop(finishing: false) }

    /// Puts a call's struct into the call page.
    public func setArguments<T: BitwiseCopyable>(_ arguments: T) { context.answer(arguments) }

    /// The call page's struct, as a call left it.
    public func arguments<T: BitwiseCopyable>(_ type: T.Type) -> T? { context.arguments(type) }

    public var memory: GuestMemory {
        _read { yield context.platform.memory }
    }

    /// Handles an exit as the run loop does; true when the guest would run on.
    @inline(never)
    public mutating func handle(_ exit: Exit, rip: UInt64 = AddressMap.imageStart) -> Bool {
        switch context.handle(exit, rip: rip) {
        case .resume, .commit, .readFaultAddress: true
        case .stop: false
        }
    }

    /// Handles exits one after the other, whatever they lead to; how many times the guest would run on. For benchmarks:
    /// like the run loop's its loop is in here, for a call across modules costs as much as an exit's handling.
    @inline(never)
    public mutating func handle(all exits: [Exit], rip: UInt64 = AddressMap.imageStart) -> Int {
        var resumed = 0
        for exit in exits {
            switch context.handle(exit, rip: rip) {
            case .resume, .commit, .readFaultAddress: resumed += 1
            case .stop: break
            }
        }
        return resumed
    }

    /// Makes the first ring's interrupt due, as its thread does for an answer; nothing when it makes none.
    public func raiseRingInterrupt() {
        guard let devices = context.platform.devices, devices.rings.first.map({ $0.vector != 0 }) == true else {
            return
        }
        _ = devices.interrupts[0].raise(0)
    }

    /// The interrupt that the run loop would inject now.
    public mutating func interruptToInject() -> UInt8? { context.interruptToInject() }

    /// Why the last exit stopped the machine: what the guest did wrong, or nil for a stop that is no crash.
    public var cause: Crash.Cause? { context.cause }
    public var stop: Stop? { context.stop }

    /// Has every blocking call end with a stop.
    public func requestStop() { context.platform.control.request(signal: interruptSignal) }
}
