// From the user's options to a unikernel's devices: all that its manifest declares must be attached, and nothing else.
//
// What is wrong is said in the stock tender's words. Read next: Devices/Attachments.swift.

import Boot
import Devices

/// The manifest with what the devices are, and the devices by handle.
func attachDevices(
    _ attachments: Attachments, _ declared: Solo5Manifest, image: String
) throws(Solo5Error) -> (manifest: Solo5Manifest, devices: [Device?]) {
    if declared.devices.isEmpty, attachments.blocks.isEmpty, attachments.nets.isEmpty { return (declared, []) }
    let (blocks, nets) = (attachments.blocks.map(\.name), attachments.nets.map(\.name))
    let unknown =
        blocks.first { declared.device($0, .block) == nil } ?? nets.first { declared.device($0, .network) == nil }
    if let unknown { throw .notDeclared(unknown, known: declared.devices) }
    // As the stock tender has it, a name that is declared twice stands for the first of its kind: the second stays missing.
    let missing = declared.devices.filter { device in
        let isFirst = declared.device(device.name, device.kind)?.handle == device.handle
        switch device.kind {
        case .block: return !isFirst || !blocks.contains(device.name)
        case .network: return !isFirst || !nets.contains(device.name)
        case .unknown: return true
        }
    }
    if !missing.isEmpty {
        let options = missing.compactMap { device in
            DeviceKind(device.kind).map { attachments.dialect.example(device.name, $0) }
        }
        throw .notAttached(missing, add: options.joined(separator: " "))
    }
    let opened: [Device]
    do throws(DeviceError) {
        opened = try attachments.open(
            declared.devices.map { DeclaredDevice(name: $0.name, kind: DeviceKind($0.kind) ?? .net) }, image: image)
    } catch { throw Solo5Error(error, attachments.dialect) }
    var manifest = declared
    var devices = [Device?](repeating: nil, count: 64)
    for (device, open) in zip(declared.devices, opened) {
        devices[device.handle] = open
        switch open {
        case .block(let disk):
            let size = UInt16(clamping: disk.sectorSize)
            manifest.attachBlock(device, capacity: disk.capacity, blockSize: size)
        case .net(let net):
            let mac = (0..<6).map { net.address[$0] }
            manifest.attachNetwork(device, mac: mac, mtu: UInt16(clamping: net.mtu))
        }
    }
    return (manifest, devices)
}

extension DeviceKind {
    /// Nil for one that no option attaches.
    fileprivate init?(_ kind: Solo5Manifest.Device.Kind) {
        switch kind {
        case .block: self = .block
        case .network: self = .net
        case .unknown: return nil
        }
    }
}

extension Solo5Error {
    fileprivate init(_ error: DeviceError, _ dialect: DeviceDialect) {
        let message = error.message(for: dialect)
        switch error {
        case .badSize(let name, _, let size, let sector) where size < sector:
            self = .device("\(name): Backing storage must be at least 1 block (\(sector) bytes) in size: \(message)")
        case .badSize(let name, _, _, let sector):
            self = .device("\(name): Backing storage size must be block aligned (\(sector) bytes): \(message)")
        case .file, .notAFile, .inUse: self = .device("Could not open block device: \(message)")
        case .noInterface, .interfaceDown, .interfaceBusy, .notATap, .notPermitted, .interface, .noTunDevice:
            self = .device("Could not attach interface: \(message)")
        default: self = .device(message)
        }
    }
}
