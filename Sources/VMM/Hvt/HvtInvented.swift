// An hvt unikernel without a CPU, for fuzzers: its calls, its ring's turns and every other exit are invented by them.
//
// Read next: ../InventedExits.swift, which is the same for Swiftlet's own guests.

import Boot
import Devices
import GuestMemory
import Host
import KVM
import Rings

@_spi(InventedExits) public struct InventedUnikernel: ~Copyable {
    private let hvt: Hvt
    private var context: VCPUContext
    private let ring: RingService

    /// Addresses that its calls may name end here; the ring lies behind.
    public var end: UInt64 { hvt.guest.ring.lowerBound }

    /// A disk, handle 1, and a network interface, handle 2, which is a descriptor that moves frames.
    public init(_ image: borrowing ELFImage, disk: String, wire: consuming File, console: Console) throws {
        let guest = try HvtGuest(image, memorySize: 2 << 20, withRing: true)
        let address = MACAddress(rawValue: 2)
        let hvt = Hvt(
            guest,
            devices: [
                nil, .block(try BlockDevice(BlockOption(name: "disk", path: disk))),
                .net(NetDevice(name: "net", interface: "", address: address, mtu: 1500, file: wire)),
            ])
        let platform = Platform(
            memory: try GuestMemory(low: guest.layout.low), layout: guest.layout, console: console,
            clock: MachineClock(frequency: 1_000_000_000, hostStart: Clock.tsc(), guestStart: 0),
            control: try StopControl(), quiet: true, hvt: hvt)
        try protect(guest, platform.memory)
        guard let ring = HvtRing.service(platform.memory, hvt) else { fatalError("its place is memory") }
        self.hvt = hvt
        context = VCPUContext(platform)
        self.ring = ring
    }

    /// Whether the machine goes on.
    public mutating func handle(_ exit: Exit) -> Bool { context.handleHvt(exit, hvt) != .stop }

    /// Whether the ring goes on.
    public mutating func turnRing() -> Bool {
        if case .ended = ring.turn(context.platform.memory) { return false }
        return true
    }

    public mutating func requestStop() { context.platform.control.request(signal: 15) }

    /// Whether it has a reason to have stopped.
    public var hasReason: Bool { context.cause != nil || context.stop != nil }

    public func read<T: BitwiseCopyable>(_ address: UInt64, as type: T.Type) -> T? {
        context.platform.memory.read(GuestAddress(address), as: type)
    }

    /// As the unikernel does it: not into pages that the host protects.
    public func write<T: BitwiseCopyable>(_ value: T, at address: UInt64) {
        if hvt.isConstant(address, UInt64(MemoryLayout<T>.size)) { return }
        context.platform.memory.write(value, at: GuestAddress(address))
    }
}
