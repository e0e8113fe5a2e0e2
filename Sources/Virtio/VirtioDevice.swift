// A virtio device on the MMIO transport: its registers, as the driver reads and writes them.
//
// Virtio 1.2, section 4.2.2: a page of registers of 32 bits, and behind 0x100 the device's own configuration. What a driver
// does out of order is answered as the specification has it: features that were not offered leave FEATURES_OK clear, a queue
// that cannot be makes the device need a reset. Nothing here ends the machine. Read next: QueueService.swift.

import GuestMemory
import Rings
import Synchronization

/// Offsets of registers (table 4.1).
enum Register {
    static let (magic, version, device, vendor): (UInt64, UInt64, UInt64, UInt64) = (0x00, 0x04, 0x08, 0x0c)
    static let (deviceFeatures, deviceFeaturesSelect): (UInt64, UInt64) = (0x10, 0x14)
    static let (driverFeatures, driverFeaturesSelect): (UInt64, UInt64) = (0x20, 0x24)
    static let (queueSelect, queueSizeMaximum, queueSize, queueReady): (UInt64, UInt64, UInt64, UInt64) =
        (0x30, 0x34, 0x38, 0x44)
    static let (queueNotify, interruptStatus, interruptAcknowledge): (UInt64, UInt64, UInt64) = (0x50, 0x60, 0x64)
    static let status: UInt64 = 0x70
    static let (descriptors, available, used): (UInt64, UInt64, UInt64) = (0x80, 0x90, 0xa0)
    static let (configGeneration, config): (UInt64, UInt64) = (0xfc, 0x100)
}

/// Bits of the status register (section 2.1).
enum Status {
    static let (featuresOK, driverOK, needsReset): (UInt32, UInt32, UInt32) = (8, 4, 0x40)
}

/// What a write to a register asks of whoever holds the device.
public enum VirtioWrite: Equatable, Sendable {
    case done
    /// The driver notifies a queue: wake the thread that serves it.
    case notified
    /// The driver has the device running: it is to be served from now on.
    case started
    /// A request is in the way of a start or a reset. Interrupt the thread that serves it, and make the write again.
    case busy
}

/// A device, for as many vCPUs as the machine has.
public final class VirtioDevice: Sendable {
    /// Bytes of guest-physical address space that it takes.
    public static let size: UInt64 = 0x200
    /// Where a driver notifies: for a doorbell.
    public static let notifyOffset = Register.queueNotify

    /// What it does with chains; for the thread that serves it.
    public let service: QueueService
    public let backend: VirtioBackend
    private let driver: Mutex<Driver>

    /// What the driver has written.
    private struct Driver {
        var status: UInt32 = 0
        var deviceFeaturesSelect: UInt32 = 0
        var driverFeaturesSelect: UInt32 = 0
        var queueSelect: UInt32 = 0
        var features: UInt64 = 0
        var queues: [QueuePlace]
    }

    public init(_ backend: VirtioBackend) {
        self.backend = backend
        service = QueueService(backend)
        driver = Mutex(Driver(queues: Array(repeating: QueuePlace(), count: backend.queueCount)))
    }

    /// Registers are read in 32 bits, the configuration in any size up to 8 bytes; all else is 0.
    public func read(_ offset: UInt64, size: Int) -> UInt64 {
        if offset >= Register.config { return backend.config(at: offset - Register.config, size: size) }
        guard size == 4, offset % 4 == 0 else { return 0 }
        return UInt64(driver.withLock { register(offset, $0) })
    }

    private func register(_ offset: UInt64, _ driver: Driver) -> UInt32 {
        let queue = driver.queueSelect < UInt32(driver.queues.count) ? driver.queues[Int(driver.queueSelect)] : nil
        return switch offset {
        case Register.magic: 0x7472_6976  // "virt"
        case Register.version: 2
        case Register.device: backend.number
        case Register.vendor: 0x4c46_5753  // "SWFL"
        case Register.deviceFeatures: Self.half(backend.features, driver.deviceFeaturesSelect)
        case Register.queueSizeMaximum: queue == nil ? 0 : SplitQueue.largest
        case Register.queueReady: queue?.isReady == true ? 1 : 0
        case Register.interruptStatus: service.interruptStatus
        case Register.status: driver.status | (service.needsReset ? Status.needsReset : 0)
        default: 0
        }
    }

    private static func half(_ features: UInt64, _ select: UInt32) -> UInt32 {
        select < 2 ? UInt32(truncatingIfNeeded: features >> (32 * UInt64(select))) : 0
    }

    public func write(_ offset: UInt64, size: Int, _ value: UInt64, _ memory: borrowing GuestMemory) -> VirtioWrite {
        guard size == 4, offset % 4 == 0 else { return .done }
        let value = UInt32(truncatingIfNeeded: value)
        switch offset {
        case Register.queueNotify: return .notified
        case Register.interruptAcknowledge: service.acknowledge(value)
        case Register.status: return driver.withLock { setStatus(value, &$0, memory) }
        default: driver.withLock { set(offset, value, &$0) }
        }
        return .done
    }

    private func set(_ offset: UInt64, _ value: UInt32, _ driver: inout Driver) {
        switch offset {
        case Register.deviceFeaturesSelect: driver.deviceFeaturesSelect = value
        case Register.driverFeaturesSelect: driver.driverFeaturesSelect = value
        case Register.driverFeatures where driver.status & Status.featuresOK == 0 && driver.driverFeaturesSelect < 2:
            let shift = 32 * UInt64(driver.driverFeaturesSelect)
            driver.features = driver.features & ~(0xffff_ffff << shift) | UInt64(value) << shift
        case Register.queueSelect: driver.queueSelect = value
        default:
            guard driver.status & Status.driverOK == 0, driver.queueSelect < UInt32(driver.queues.count) else { return }
            driver.queues[Int(driver.queueSelect)].set(offset, value)
        }
    }

    private func setStatus(
        _ value: UInt32, _ driver: inout Driver, _ memory: borrowing GuestMemory
    ) -> VirtioWrite {
        if value == 0 {
            if !service.reset() { return .busy }
            driver = Driver(queues: Array(repeating: QueuePlace(), count: backend.queueCount))
            return .done
        }
        var status = value & ~Status.needsReset
        // The driver reads back whether its features are ours; version 1 is not negotiable.
        let isAgreed = driver.features & ~backend.features == 0 && driver.features & VirtioBackend.version1 != 0
        if !isAgreed { status &= ~Status.featuresOK }
        let starts = status & Status.driverOK != 0 && driver.status & Status.driverOK == 0
        let runs = starts && status & Status.featuresOK != 0
        let writesThrough = backend.writesThrough(driver.features)
        if runs, !service.start(driver.queues, writesThrough: writesThrough, memory) { return .busy }
        driver.status = status
        return runs ? .started : .done
    }
}

extension QueuePlace {
    fileprivate mutating func set(_ offset: UInt64, _ value: UInt32) {
        func half(_ address: inout UInt64, _ isHigh: Bool) {
            address = isHigh ? address & 0xffff_ffff | UInt64(value) << 32 : address & ~0xffff_ffff | UInt64(value)
        }
        switch offset {
        case Register.queueSize: size = value
        case Register.queueReady: isReady = value & 1 != 0
        case Register.descriptors, Register.descriptors + 4: half(&descriptors, offset != Register.descriptors)
        case Register.available, Register.available + 4: half(&available, offset != Register.available)
        case Register.used, Register.used + 4: half(&used, offset != Register.used)
        default: break
        }
    }
}
