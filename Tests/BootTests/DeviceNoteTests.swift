// The manifest: notes that declare devices, right ones and wrong ones.

import CABI
import Host
import ImageBuilder
import TestSupport
import Testing

@testable import Boot

@Suite struct DeviceNoteTests {
    private func descriptor(_ name: String, kind: UInt32 = 1, reserved: UInt32 = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(kind, reserved)
        return bytes + Array(name.utf8) + [UInt8](repeating: 0, count: max(0, 32 - name.utf8.count))
    }

    private func notes(_ descriptors: [[UInt8]]) throws -> [DeviceNote] {
        let notes = descriptors.flatMap { ELFBuilder.note(type: 2, $0) }
        let bytes = ELFBuilder.guest(note: notes + ELFBuilder.swiftletNote()).build()
        let file = AnonymousFile(bytes)
        let image = try ELFImage(fd: file.fd, fileSize: file.size)
        #expect(image.declaresDevices == !descriptors.isEmpty)
        return try image.deviceNotes()
    }

    @Test func devicesAreInTheFilesOrder() throws {
        let found = try notes([descriptor("disk"), descriptor("a-b_9", kind: 2), descriptor("log", kind: 3)])
        #expect(found.map(\.name) == ["disk", "a-b_9", "log"] && found.map(\.kind) == [1, 2, 3])
        #expect(try notes([]).isEmpty)
    }

    @Test(arguments: ["", "a b", "a/b", "\u{e4}", "a=b", String(repeating: "x", count: 32)])
    func namesAreChecked(name: String) throws {
        #expect(throws: ImageError.manifest("a device note whose name is not 1 to 31 letters, digits, - and _")) {
            try notes([descriptor(name)])
        }
    }

    @Test func kindsAreChecked() throws {
        for kind: UInt32 in [0, 4, .max] {
            let words = "a device note of kind \(kind), which this version does not know"
            #expect(throws: ImageError.manifest(words)) { try notes([descriptor("disk", kind: kind)]) }
        }
        #expect(throws: ImageError.self) { try notes([descriptor("disk", reserved: 1)]) }
    }

    @Test func sizesAreChecked() throws {
        for count in [0, 1, 39, 41] {
            let words = "a device note of \(count) bytes, not 40"
            #expect(throws: ImageError.manifest(words)) { try notes([[UInt8](repeating: 65, count: count)]) }
        }
    }

    @Test func eachNameIsDeclaredOnce() throws {
        #expect(throws: ImageError.manifest("two devices named 'a' in its notes")) {
            try notes([descriptor("a"), descriptor("b"), descriptor("a", kind: 2)])
        }
        #expect(try notes((0..<16).map { descriptor("d\($0)") }).count == 16)
        #expect(throws: ImageError.manifest("17 devices in its notes, at most 16")) {
            try notes((0..<17).map { descriptor("d\($0)") })
        }
    }
}
