// The devices with virtio's registers, which the kernel finds by ACPI or on its command line: which there are, and where.
//
// Each has 4 KiB of addresses in the hole under 4 GiB, so that an address leads to its device by a division: O(1). Each has an
// interrupt line of its own, one that a PC has given nobody. Read next: VirtioSlot.swift.

import Devices
import Host
import KVM
import Rings
import Synchronization
import Virtio
import X86

package final class VirtioBus: Sendable {
    /// The place of the first device's registers, and bytes from one to the next.
    private static let start: UInt64 = 0xd000_0000
    private static let stride: UInt64 = 0x1000
    /// PC lines without an owner, first those that PICs have too: a kernel without ACPI knows no others.
    private static let freeLines: [UInt32] = [5, 6, 7, 9, 10, 11, 12, 14, 15] + Array(16..<24)

    let slots: [VirtioSlot]
    private let hasInterrupts: Bool
    private let hasConsole: Bool
    private let failure = Mutex<RingFailure?>(nil)
    private let vm = Mutex<(doorbells: Doorbells, lines: InterruptLines?)?>(nil)

    /// Opens what the user attaches. Disks come first, in their order, then networks: kernels number them so.
    init(_ configuration: borrowing Configuration, _ console: Console, hasInterrupts: Bool) throws(MachineError) {
        let devices = configuration.devices
        let declared =
            devices.blocks.map { DeclaredDevice(name: $0.name, kind: .block) }
            + devices.nets.map { DeclaredDevice(name: $0.name, kind: .net) }
        var backends: [VirtioBackend]
        do throws(DeviceError) {
            backends = try devices.open(declared, image: configuration.image).map { VirtioBackend($0) }
        } catch { throw .device(error) }
        hasConsole = configuration.kernel.hasConsole
        if hasConsole { backends.append(.console(console)) }
        backends.append(.entropy)
        if backends.count > Self.freeLines.count {
            let others = backends.count - declared.count
            throw .device(.tooManyForLines(declared.count, most: Self.freeLines.count - others))
        }
        slots = backends.enumerated().map { index, backend in
            VirtioSlot(backend, Self.start + UInt64(index) * Self.stride, line: Self.freeLines[index])
        }
        self.hasInterrupts = hasInterrupts
    }

    /// What the serial port is left of the console: what is typed goes to one place.
    func serialConsole(_ console: Console) -> Console {
        hasConsole ? Console(input: -1, output: console.output) : console
    }

    var disks: [BlockDevice] {
        slots.compactMap { if case .block(let disk) = $0.device.backend { disk } else { nil } }
    }

    /// Before the kernel runs: devices are opened before there is a VM.
    func connect(_ doorbells: Doorbells, _ lines: InterruptLines?) { vm.withLock { $0 = (doorbells, lines) } }

    var doorbells: Doorbells? { vm.withLock { $0?.doorbells } }
    var lines: InterruptLines? { vm.withLock { $0?.lines } }

    /// Whose registers lie there.
    func slot(_ address: UInt64) -> VirtioSlot? {
        let index = (address &- Self.start) / Self.stride
        return index < UInt64(slots.count) ? slots[Int(index)] : nil
    }

    /// Nil where nobody's registers lie.
    func read(_ address: UInt64, size: Int) -> UInt64? {
        slot(address).map { $0.device.read(address % Self.stride, size: size) }
    }

    /// For the tables.
    func machine(cpus: Int) -> ACPIMachine {
        Self.machine(devices: slots.count, hasInterrupts: hasInterrupts, cpus: cpus)
    }

    /// That of a machine with so many devices.
    package static func machine(devices: Int, hasInterrupts: Bool, cpus: Int = 1) -> ACPIMachine {
        let list = (0..<devices).map {
            ACPIMachine.Device(address: start + UInt64($0) * stride, size: stride, line: freeLines[$0])
        }
        return ACPIMachine(cpus: cpus, hasInterrupts: hasInterrupts, virtio: list)
    }

    /// The same for Linux's command line (Documentation/admin-guide/kernel-parameters.txt, virtio_mmio.device).
    var commandLine: String {
        slots.map { "virtio_mmio.device=4K@0x\(String($0.address, radix: 16)):\($0.line)" }.joined(separator: " ")
    }

    func fails(_ reason: RingFailure) { failure.withLock { $0 = $0 ?? reason } }

    /// How a run ends in which a device failed.
    func ending(_ stop: Stop) -> Stop {
        guard stop.kind == "error", let failure = failure.withLock({ $0 }) else { return stop }
        switch failure {
        case .consoleGone: return .consoleGone
        case .deviceFailed(let part, let errno): return .hostFailed(part, errno: errno)
        case .broken, .misuse: return stop
        }
    }

    /// Ends the devices' threads, while the vCPUs' threads, which they may kick, are not yet joined.
    func stop() {
        for slot in slots { slot.requestStop() }
        for slot in slots { slot.join() }
    }
}

extension VirtioBackend {
    fileprivate init(_ device: Device) {
        switch device {
        case .block(let disk): self = .block(disk)
        case .net(let net): self = .net(net)
        }
    }
}
