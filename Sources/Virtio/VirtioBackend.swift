// The four devices: which number, features and configuration each has, and who does its requests.
//
// Numbers and layouts are those of virtio 1.2, section 5. Read next: BlockRequests.swift.

import Devices
import GuestMemory
import Host
import Rings

/// What is behind a device.
public enum VirtioBackend: Sendable {
    case block(BlockDevice)
    case net(NetDevice)
    case console(Console)
    case entropy

    /// VIRTIO_F_VERSION_1 (section 6).
    static let version1: UInt64 = 1 << 32

    /// What came of a chain.
    enum Outcome {
        /// It is done, with that many bytes written to it.
        case done(written: UInt32)
        /// Nothing was moved: when the descriptor is ready, try again.
        case waits(WaitFor)
        /// Some of it is moved, this is the rest: when the descriptor is ready, or at once, go on with that.
        case cut(Chain, WaitFor?)
        /// A signal came first: look for a stop, then try again.
        case interrupted
        /// It is no request of this device.
        case broken
        case ends(RingFailure)
    }

    /// The device number (section 5).
    var number: UInt32 {
        switch self {
        case .net: 1
        case .block: 2
        case .console: 3
        case .entropy: 4
        }
    }

    var queueCount: Int {
        switch self {
        case .block, .entropy: 1
        case .net, .console: 2
        }
    }

    var features: UInt64 {
        switch self {
        case .block(let disk): Self.version1 | disk.virtioFeatures
        case .net: Self.version1 | NetFeature.all
        case .console, .entropy: Self.version1
        }
    }

    /// Bytes of the configuration, as an integer with the lowest first; what lies beyond it is 0.
    func config(at offset: UInt64, size: Int) -> UInt64 {
        let bytes: [UInt8] =
            switch self {
            case .block(let disk): disk.virtioConfig
            case .net(let net): net.virtioConfig
            case .console, .entropy: []
            }
        guard size <= 8, offset <= 0x100 else { return 0 }
        return bytes.dropFirst(Int(offset)).prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Whether a driver that has agreed to these features counts on each write being on the disk when it is done (5.2.5).
    func writesThrough(_ features: UInt64) -> Bool {
        if case .block(let disk) = self { disk.writesThrough(features) } else { false }
    }

    func perform(_ chain: Chain, queue: Int, writesThrough: Bool, _ memory: borrowing GuestMemory) -> Outcome {
        switch (self, queue) {
        case (.block(let disk), _): disk.perform(chain, writesThrough: writesThrough, memory)
        case (.net(let net), 0): net.receive(chain, memory)
        case (.net(let net), _): net.send(chain, memory)
        case (.console(let console), 0): console.read(chain, memory)
        case (.console(let console), _): console.write(chain, memory)
        case (.entropy, _): fillWithEntropy(chain, memory)
        }
    }
}

/// Puts little-endian integers into a configuration.
struct ConfigBytes {
    private(set) var bytes: [UInt8]

    init(size: Int) { bytes = [UInt8](repeating: 0, count: size) }

    mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        for index in 0..<MemoryLayout<T>.size {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * index))
        }
    }
}
