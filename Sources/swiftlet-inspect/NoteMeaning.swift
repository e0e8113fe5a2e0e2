// What a note says, for the owners whose notes decide how an image is run, and GNU's.
//
// Sources: CABI/swiftlet_note.h; Solo5 elf_abi.h and mft_abi.h; Xen elfnote.h; glibc <elf.h>.
// Read next: LinuxHeader.swift.

import Boot
import Devices
import Subcommand

extension ELFNote {
    /// One line. Descriptors are hostile: each word is looked for, not assumed.
    var meaning: String {
        switch (owner, type) {
        case ("Swiftlet", 1): swiftlet ?? "too short"
        case ("Swiftlet", 2): device ?? "no device that this version knows"
        case ("Solo5", 0x3149_4241): solo5ABI ?? "too short"  // "ABI1"
        case ("Solo5", 0x3154_464d): solo5Manifest ?? "too short"  // "MFT1"
        case ("Xen", 18): word(0).map { "entry for PVH at \(hex(UInt64($0)))" } ?? "too short"
        case ("Xen", 5): "version \(text)"
        case ("Xen", 6): "guest OS \(text)"
        case ("Xen", 7): "guest version \(text)"
        case ("Xen", 8): "loader \(text)"
        case ("Xen", 10): "features \(text)"
        case ("GNU", 1): gnuABI ?? "too short"
        case ("GNU", 3): "build ID \(descriptor.prefix(32).map(twoDigits).joined())"
        case ("GNU", 5): "properties"
        default: ""
        }
    }

    /// A little-endian word of the descriptor.
    private func word(_ index: Int) -> UInt32? {
        guard descriptor.count >= index * 4 + 4 else { return nil }
        return (0..<4).reduce(0) { $0 | UInt32(descriptor[index * 4 + $1]) << UInt32(8 * $1) }
    }

    private var text: String { String(decoding: descriptor.prefix { $0 != 0 }.prefix(100), as: UTF8.self) }

    private var swiftlet: String? {
        guard let version = word(0), let flags = word(1) else { return nil }
        let unknown = flags & ~1
        return "ABI version \(version)" + (flags & 1 != 0 ? ", ring 3" : "")
            + (unknown != 0 ? ", unknown flags \(hex(UInt64(unknown)))" : "")
    }

    private var device: String? {
        guard let note = try? DeviceNote(descriptor: descriptor) else { return nil }
        return "device \(note.name) (\(NeededDevice(note.name, DeviceKind(rawValue: note.kind)).kind))"
    }

    private var solo5ABI: String? {
        guard let target = word(0), let version = word(1) else { return nil }
        return "target \(Solo5.name(target: target) ?? "\(target)"), ABI version \(version)"
    }

    /// Version and entries, after four bytes of padding; the first entry is not a device.
    private var solo5Manifest: String? {
        guard let version = word(1), let entries = word(2) else { return nil }
        if let manifest = try? Solo5Manifest(Array(descriptor.dropFirst(4))), !manifest.devices.isEmpty {
            let devices = manifest.devices.map { "\($0.name) (\($0.typeName))" }
            return "manifest version \(version): \(devices.joined(separator: ", "))"
        }
        let devices = entries == 0 ? 0 : entries - 1
        return "manifest version \(version), \(devices) device\(devices == 1 ? "" : "s")"
    }

    private var gnuABI: String? {
        guard let system = word(0), let major = word(1), let minor = word(2), let patch = word(3) else { return nil }
        return "for \(system == 0 ? "Linux" : "system \(system)") \(major).\(minor).\(patch) or later"
    }
}

private func twoDigits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
