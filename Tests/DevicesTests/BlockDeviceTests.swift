// Disks: what can be opened, what a transfer does, who else may open it.

import Devices
import Foundation
import Glibc
import Host
import Synchronization
import TestSupport
import Testing

@Suite struct BlockDeviceTests {
    let folder = ScratchFolder()

    private func disk(_ name: String, sectors: Int) throws -> String {
        try folder.file(name, (0..<sectors * 512).map { UInt8(truncatingIfNeeded: $0 / 512 + 1) })
    }

    private func open(_ path: String, readOnly: Bool = false, sector: UInt64 = 512) throws -> BlockDevice {
        var option = BlockOption(name: "disk", path: path)
        (option.isReadOnly, option.sectorSize) = (readOnly, sector)
        return try BlockDevice(option)
    }

    @Test func whatIsWrittenIsRead() throws {
        let path = try disk("a", sectors: 8)
        let device = try open(path)
        #expect((device.capacity, device.sectorSize, device.isReadOnly) == (4096, 512, false))
        let bytes = [UInt8](repeating: 0xab, count: 700)
        #expect(device.write(bytes.span.bytes, at: 1000) == .done)
        #expect(device.flush() == .done)
        let (result, read) = withZeroedBytes(4096) { device.read(into: &$0, at: 0) }
        #expect(result == .done && Array(read[1000..<1700]) == bytes && read[999] == 2 && read[1700] == 4)
        #expect(try File(path, .read).read(at: 0, 5000) == read)
    }

    @Test func nothingBeyondTheEnd() throws {
        let device = try open(try disk("a", sectors: 2))
        let bytes = [UInt8](repeating: 0, count: 2)
        for offset in [1023, 1025, UInt64.max, UInt64.max - 1, 1 << 63] {
            #expect(device.write(bytes.span.bytes, at: offset) == .outOfRange)
            #expect(withZeroedBytes(2) { device.read(into: &$0, at: offset) }.0 == .outOfRange)
            #expect(device.discard(at: offset, 2) == .outOfRange)
        }
        #expect(device.discard(at: 0, .max) == .outOfRange)
        #expect(device.write(bytes.span.bytes, at: 1022) == .done)
        #expect(device.write([UInt8]().span.bytes, at: 1024) == .done)
    }

    @Test func discardedBytesAreZero() throws {
        let device = try open(try disk("a", sectors: 32))
        #expect(device.discard(at: 512, 8192) == .done)
        let (_, read) = withZeroedBytes(512 * 32) { device.read(into: &$0, at: 0) }
        // A file system that cannot make holes keeps what was there.
        let isKept = read[512] == 2
        #expect(isKept || read[512..<8704].allSatisfy { $0 == 0 })
        #expect(read[511] == 1 && read[8704] == 18)
    }

    /// Its holes are of whole sectors. Without the right to make one there is nothing to show.
    @Test func aBlockDeviceDiscardsAnyRange() throws {
        let path = try disk("a", sectors: 64)
        let loop = try losetup(["--find", "--show", path])
        guard loop.hasPrefix("/dev/loop") else { return }
        defer { _ = try? losetup(["--detach", loop]) }
        let device = try open(loop)
        #expect(device.discard(at: 100, 20_000) == .done)
        #expect(device.discard(at: 1, 600) == .done)
        let (_, read) = withZeroedBytes(512 * 64) { device.read(into: &$0, at: 0) }
        let isKept = read[4096] == 9  // one that has no holes
        #expect(isKept || read[4096..<16384].allSatisfy { $0 == 0 })
        #expect(read[..<512].allSatisfy { $0 == 1 } && read[20_480] == 41, "and no more than that")
    }

    private func losetup(_ arguments: [String]) throws -> String {
        let (process, output) = (Process(), Foundation.Pipe())
        process.executableURL = URL(fileURLWithPath: "/sbin/losetup")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return "" }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: said.dropLast(), as: UTF8.self)
    }

    @Test func aReadOnlyDiskIsNotWritten() throws {
        let path = try disk("a", sectors: 1)
        let device = try open(path, readOnly: true)
        #expect(device.write([1].span.bytes, at: 0) == .readOnly)
        #expect(device.discard(at: 0, 512) == .readOnly)
        #expect(device.flush() == .done)
        #expect(withZeroedBytes(512) { device.read(into: &$0, at: 0) }.1[0] == 1)
    }

    @Test func aSecondWriterIsRefused() throws {
        let path = try disk("a", sectors: 1)
        do {
            let writer = try open(path)
            #expect(throws: DeviceError.inUse(path: path, isReadOnly: false)) { try open(path) }
            #expect(throws: DeviceError.inUse(path: path, isReadOnly: true)) { try open(path, readOnly: true) }
            withExtendedLifetime(writer) {}
        }
        do {
            let readers = [try openOnceFree(path, readOnly: true), try open(path, readOnly: true)]
            #expect(throws: DeviceError.inUse(path: path, isReadOnly: false)) { try open(path) }
            withExtendedLifetime(readers) {}
        }
        _ = try openOnceFree(path)
    }

    /// QEMU's image locks: read locks on byte 100 and on for what it does, on byte 200 and on for what others may not.
    @Test func qemuIsSeen() throws {
        let path = try disk("a", sectors: 1)
        let (reads, writes, forbidsWriting) = (100 as off_t, 101 as off_t, 201 as off_t)
        do {
            let qemu = try locked(path, [reads, writes, forbidsWriting])
            #expect(throws: DeviceError.inUse(path: path, isReadOnly: true)) { try open(path, readOnly: true) }
            #expect(throws: DeviceError.inUse(path: path, isReadOnly: false)) { try open(path) }
            #expect(qemu.fd >= 0)
        }
        do {
            let qemu = try locked(path, [reads, forbidsWriting])
            let readers = [try openOnceFree(path, readOnly: true), try open(path, readOnly: true)]
            #expect(throws: DeviceError.inUse(path: path, isReadOnly: false)) { try open(path) }
            withExtendedLifetime(readers) {}
            #expect(qemu.fd >= 0)
        }
    }

    /// The file, open, with read locks on single bytes.
    private func locked(_ path: String, _ bytes: [off_t]) throws -> File {
        let file = try File(path, .read)
        for byte in bytes {
            var lock = flock()
            (lock.l_type, lock.l_start, lock.l_len) = (Int16(F_RDLCK), byte, 1)
            try #require(fcntl(file.fd, 37 /* F_OFD_SETLK */, &lock) == 0)
        }
        return file
    }

    /// A program that another test starts just now holds a copy of the descriptor, and the lock, until it execs.
    private func openOnceFree(_ path: String, readOnly: Bool = false) throws -> BlockDevice {
        for _ in 0..<1000 {
            do { return try open(path, readOnly: readOnly) } catch DeviceError.inUse { usleep(10_000) }
        }
        return try open(path, readOnly: readOnly)
    }

    @Test func sizesAreChecked() throws {
        let odd = try folder.file("odd", [UInt8](repeating: 0, count: 1025))
        #expect(throws: DeviceError.badSize(name: "disk", path: odd, size: 1025, sectorSize: 512)) { try open(odd) }
        let empty = try folder.file("empty", [])
        #expect(throws: DeviceError.badSize(name: "disk", path: empty, size: 0, sectorSize: 512)) { try open(empty) }
        let small = try disk("small", sectors: 2)
        #expect(throws: DeviceError.badSize(name: "disk", path: small, size: 1024, sectorSize: 4096)) {
            try open(small, sector: 4096)
        }
        _ = try open(small)
    }

    @Test func onlyFilesAndBlockDevicesAreDisks() throws {
        #expect(throws: DeviceError.notAFile(path: "/dev/null")) { try open("/dev/null") }
        #expect(throws: DeviceError.notAFile(path: folder.path)) { try open(folder.path) }
        let pipe = "\(folder.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: DeviceError.notAFile(path: pipe)) { try open(pipe) }
        let missing = "\(folder.path)/missing"
        #expect(throws: DeviceError.file(path: missing, call: "open", errno: ENOENT)) { try open(missing) }
    }

    @Test func aDiskThatShrinksFails() throws {
        let path = try disk("a", sectors: 8)
        let device = try open(path)
        #expect(truncate(path, 1000) == 0)
        #expect(withZeroedBytes(2048) { device.read(into: &$0, at: 0) }.0 == .failed(errno: EIO))
        #expect(withZeroedBytes(512) { device.read(into: &$0, at: 0) }.0 == .done)
    }

    /// /dev/full is no disk, so a limit of this test's own: a file of holes in a file system of 64 KiB. Where that cannot
    /// be had (no root), the test says nothing.
    @Test(.requiresRoot) func aFullDiskIsAResult() throws {
        let small = "\(folder.path)/small"
        #expect(mkdir(small, 0o700) == 0)
        guard mount("none", small, "tmpfs", 0, "size=64k") == 0 else { return }
        defer {
            umount(small)
            rmdir(small)
        }
        let path = "\(small)/disk"
        try File(path, .create).truncate(1 << 20)
        let device = try open(path)
        let bytes = [UInt8](repeating: 7, count: 4096)
        var results: [BlockResult] = []
        for page in 0..<32 { results.append(device.write(bytes.span.bytes, at: UInt64(page) * 4096)) }
        #expect(results.first == .done && results.last == .failed(errno: ENOSPC))
        // Room that is given back can be used.
        #expect(device.discard(at: 0, 8192) == .done)
        #expect(device.write(bytes.span.bytes, at: 1 << 19) == .done)
    }

    @Test func threadsShareADisk() throws {
        let device = try open(try disk("a", sectors: 64))
        let wrong = Shared()
        let first = try Thread { self.hammer(device, half: 0, wrong) }
        hammer(device, half: 1, wrong)
        first.join()
        #expect(wrong.value == 0)
    }

    private func hammer(_ device: BlockDevice, half: UInt64, _ wrong: Shared) {
        for round in 0..<200 {
            let bytes = [UInt8](repeating: UInt8(round), count: 512)
            let offset = half * 16384 + UInt64(round % 32) * 512
            if device.write(bytes.span.bytes, at: offset) != .done { wrong.value = 1 }
            if withZeroedBytes(512, { device.read(into: &$0, at: offset) }).1 != bytes { wrong.value = 2 }
        }
    }
}
