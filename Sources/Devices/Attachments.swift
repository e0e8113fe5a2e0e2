// From the user's options to open devices: what the image declares and what the user attaches must be the same set.
//
// Nothing is opened before all names match. Read next: BlockDevice.swift.

import Host

/// What the user attaches.
public struct Attachments: Sendable {
    public var blocks: [BlockOption] = []
    public var nets: [NetOption] = []
    public var dialect = DeviceDialect.swiftlet

    /// As many as Solo5's manifest has room for.
    public static let most = 63

    public init() {}

    public var isEmpty: Bool { blocks.isEmpty && nets.isEmpty }

    /// Opens the devices, in the order of their declarations; with queues for a machine that has rings for its disks.
    /// `image`: the guest's, which it may not write to.
    public func open(
        _ declared: [DeclaredDevice], image: String, queues: Bool = false
    ) throws(DeviceError) -> [Device] {
        try check(declared)
        var devices: [Device] = []
        for device in declared {
            switch device.kind {
            case .block:
                guard let option = blocks.first(where: { $0.name == device.name }) else { continue }
                if !option.isReadOnly, let target = PathTarget(option.path), target == PathTarget(image) {
                    throw .isImage(path: option.path)
                }
                devices.append(.block(try BlockDevice(option, isQueued: queues)))
            case .net:
                guard let option = nets.first(where: { $0.name == device.name }) else { continue }
                devices.append(.net(try NetDevice(option)))
            }
        }
        return devices
    }

    /// Whether the names match.
    public func check(_ declared: [DeclaredDevice]) throws(DeviceError) {
        let attached = blocks.map { ($0.name, DeviceKind.block) } + nets.map { ($0.name, DeviceKind.net) }
        if attached.count > Self.most { throw .tooMany(attached.count) }
        for (index, (name, kind)) in attached.enumerated() {
            if attached[..<index].contains(where: { $0.0 == name }) { throw .sameName(name) }
            guard let device = declared.first(where: { $0.name == name }) else {
                throw .notDeclared(name, known: declared.map(\.name))
            }
            if device.kind != kind { throw .wrongKind(name, declared: device.kind) }
        }
        for device in declared where !attached.contains(where: { $0.0 == device.name }) {
            throw .notAttached(device.name, device.kind)
        }
    }
}

/// A device that an image's manifest names.
public struct DeclaredDevice: Equatable, Sendable {
    public var name: String
    public var kind: DeviceKind
    public init(name: String, kind: DeviceKind) { (self.name, self.kind) = (name, kind) }
}

/// An open device.
public enum Device: Sendable {
    case block(BlockDevice)
    case net(NetDevice)

    public var block: BlockDevice? { if case .block(let device) = self { device } else { nil } }
    public var net: NetDevice? { if case .net(let device) = self { device } else { nil } }
}
