// An hvt unikernel for tests without a CPU: memory, a console, a disk or a network, and what it does is invented.
//
// Read next: HvtCallTests.swift, HvtRingTests.swift.

import Boot
import Glibc
import GuestMemory
import Host
import ImageBuilder
import KVM
import TestSupport
import Testing
import X86

@testable import Devices
@testable import VMM

/// An hvt unikernel without a CPU: 2 MiB, a page of code at 0x100000, a page of variables behind it, and a console.
final class InventedUnikernel {
    var context: VCPUContext
    let hvt: Hvt
    let platform: Platform
    /// Where a ring would lie.
    var ring: UInt64 { Self.end }
    let output = BlockingPipe()

    static let text: UInt64 = 0x10_0000
    /// Where a test's structs and buffers lie.
    static let (place, buffer): (UInt64, UInt64) = (0x10_2000, 0x11_0000)
    static let end: UInt64 = 2 << 20

    /// With a disk, or with a network interface that is one end of `wire`, and a ring.
    init(disk: String? = nil, wire: SocketWire? = nil) throws {
        signal(SIGPIPE, SIG_IGN)
        try Thread.installKick()
        let manifest = ELFBuilder.solo5Manifest(disk == nil ? [] : [("storage", 1)])
        let file = AnonymousFile(ELFBuilder.unikernel(manifest: manifest).build())
        let image = try ELFImage(fd: file.fd, fileSize: file.size)
        let guest = try HvtGuest(image, memorySize: Self.end, withRing: wire != nil)
        var attachments = Attachments()
        if let disk { attachments.blocks = [BlockOption(name: "storage", path: disk)] }
        var (_, devices) = try attachDevices(attachments, guest.manifest, image: "guest.elf")
        if let wire { devices = [nil, .net(wire.device())] }
        hvt = Hvt(guest, devices: devices)
        platform = Platform(
            memory: try GuestMemory(low: guest.layout.low), layout: guest.layout,
            console: Console(input: -1, output: output.writer),
            clock: MachineClock(frequency: 1_000_000_000, hostStart: Clock.tsc(), guestStart: 0),
            control: try StopControl(), quiet: true, hvt: hvt)
        context = VCPUContext(platform)
    }

    func out(_ port: UInt16, _ value: UInt64, size: UInt8 = 4, count: UInt32 = 1) -> Action {
        context.cause = nil
        context.stop = nil
        return context.handleHvt(
            .portWrite(port: port, size: size, count: count, value: UInt32(truncatingIfNeeded: value)), hvt)
    }

    func call<T: BitwiseCopyable>(_ number: UInt16, _ arguments: T, at address: UInt64 = place) -> Action {
        platform.memory.write(arguments, at: GuestAddress(address))
        return out(0x500 + number, address)
    }

    func result<T: BitwiseCopyable>(_ type: T.Type, at address: UInt64 = place) -> T? {
        platform.memory.read(GuestAddress(address))
    }

    /// Why it ended; nil when it did not by its own fault.
    var misuse: String? { if case .misuse(let what)? = context.cause { what } else { nil } }
}
