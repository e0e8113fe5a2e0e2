// The manifest: the notes in which an image declares its devices (CABI/swiftlet_devices.h).
//
// Read again, and only of an image that has some: an ordinary start looks no further. Read next: ELFRelocation.swift.

import CABI

/// A device that an image declares.
public struct DeviceNote: Equatable, Sendable {
    public var name: String
    /// SWIFTLET_DEVICE_...
    public var kind: UInt32
}

/// Whether a note is one of these: all that an ordinary start asks.
func isDeviceNote(_ owner: RawSpan, _ type: UInt32) -> Bool {
    type == UInt32(SWIFTLET_NOTE_DEVICE) && equal(owner, "Swiftlet")
}

extension ELFImage {
    /// The declared devices, in the order of the file.
    public func deviceNotes() throws(ImageError) -> [DeviceNote] {
        var devices: [DeviceNote] = []
        for note in notes where note.owner == "Swiftlet" && note.type == UInt32(SWIFTLET_NOTE_DEVICE) {
            let device = try DeviceNote(descriptor: note.descriptor)
            if devices.contains(where: { $0.name == device.name }) {
                throw .manifest("two devices named '\(device.name)' in its notes")
            }
            devices.append(device)
        }
        if devices.count > Int(SWIFTLET_DEVICES_MAX) {
            throw .manifest("\(devices.count) devices in its notes, at most \(SWIFTLET_DEVICES_MAX)")
        }
        return devices
    }
}

extension DeviceNote {
    /// Kind, a reserved word, and 32 bytes with the name and at least one NUL.
    public init(descriptor: [UInt8]) throws(ImageError) {
        let size = 8 + Int(SWIFTLET_DEVICE_NAME_SIZE)
        guard descriptor.count == size else {
            throw .manifest("a device note of \(descriptor.count) bytes, not \(size)")
        }
        let text = descriptor[8...].prefix { $0 != 0 }
        let isName = text.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d
                || $0 == 0x5f
        }
        guard !text.isEmpty, text.count < Int(SWIFTLET_DEVICE_NAME_SIZE), isName else {
            throw .manifest("a device note whose name is not 1 to 31 letters, digits, - and _")
        }
        let (kind, reserved) = (descriptor.word(0), descriptor.word(4))
        guard (UInt32(SWIFTLET_DEVICE_BLOCK)...UInt32(SWIFTLET_DEVICE_CONSOLE)).contains(kind), reserved == 0 else {
            throw .manifest("a device note of kind \(kind), which this version does not know")
        }
        self.init(name: String(decoding: text, as: UTF8.self), kind: kind)
    }
}
