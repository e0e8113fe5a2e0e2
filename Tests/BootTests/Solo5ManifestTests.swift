// Notes and manifest of a Solo5 unikernel: taken as its tender takes them, and refused when anything is wrong.
//
// Read next: HvtGuestTests.swift.

import ImageBuilder
import TestSupport
import Testing

@testable import Boot

@Suite struct Solo5ManifestTests {
    private let good = ELFBuilder.solo5Manifest([("storage", 1), ("service0", 2), ("odd", 9)])

    private func refusal(_ bytes: [UInt8]) -> Solo5Error? {
        do throws(Solo5Error) {
            _ = try Solo5Manifest(bytes)
            return nil
        } catch { return error }
    }

    private func refusal(ofImage builder: ELFBuilder) -> Solo5Error? {
        let file = AnonymousFile(builder.build())
        do throws(ImageError) {
            let image = try ELFImage(fd: file.fd, fileSize: file.size)
            do throws(Solo5Error) {
                _ = try image.hvtManifest
                return nil
            } catch { return error }
        } catch {
            Issue.record("\(error.message)")
            return nil
        }
    }

    @Test func devicesHaveTheirHandles() throws {
        let manifest = try Solo5Manifest(good)
        #expect(manifest.devices.map(\.handle) == [1, 2, 3])
        #expect(manifest.devices.map(\.name) == ["storage", "service0", "odd"])
        #expect(manifest.devices.map(\.kind) == [.block, .network, .unknown(9)])
        #expect(manifest.device("storage", .block)?.handle == 1)
        #expect(manifest.device("storage", .network) == nil)
        #expect(manifest.device("none", .block) == nil)
        #expect(manifest.bytes == good)
    }

    @Test func attachedDevicesAreFilledIn() throws {
        var manifest = try Solo5Manifest(good)
        let (disk, net) = (manifest.devices[0], manifest.devices[1])
        manifest.attachBlock(disk, capacity: 0x1122_3344_5566_7788, blockSize: 0x1000)
        manifest.attachNetwork(net, mac: [2, 3, 4, 5, 6, 7], mtu: 9000)
        #expect(manifest.isAttached(disk) && manifest.isAttached(net) && !manifest.isAttached(manifest.devices[2]))
        let entry = { (index: Int) in Array(manifest.bytes[(8 + 104 * index)..<(112 + 104 * index)]) }
        #expect(Array(entry(1)[72..<82]) == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0x10])
        #expect(Array(entry(2)[72..<80]) == [2, 3, 4, 5, 6, 7, 0x28, 0x23])
        #expect(entry(1)[96] == 1 && entry(2)[96] == 1 && entry(3)[96] == 0)
    }

    @Test func everyRuleIsEnforced() {
        func changed(_ offset: Int, _ value: UInt32) -> [UInt8] {
            var bytes = good
            bytes.patch(offset, value)
            return bytes
        }
        #expect(refusal(good) == nil)
        let bad: [[UInt8]] = [
            [], Array(good.prefix(7)), Array(good.prefix(8)), Array(good.dropLast()), good + [0],
            changed(0, 2), changed(0, 0), changed(4, 0), changed(4, 3), changed(4, 5), changed(4, 65), changed(4, .max),
            changed(8 + 68, 1), changed(8, 0x41), changed(8 + 104 + 64, 0x4100_0000), changed(8 + 104 + 96, 1),
            changed(8 + 96, 1),
        ]
        for bytes in bad { #expect(refusal(bytes) != nil) }
    }

    @Test func sixtyThreeDevicesAreTheMost() throws {
        let devices = (0..<63).map { (name: "storage\($0)", type: UInt32(1)) }
        #expect(try Solo5Manifest(ELFBuilder.solo5Manifest(devices)).devices.count == 63)
        #expect(refusal(ELFBuilder.solo5Manifest(devices + [("more", 1)])) != nil)
    }

    @Test func longestNameIsWhole() throws {
        let name = String(repeating: "n", count: 67)
        #expect(try Solo5Manifest(ELFBuilder.solo5Manifest([(name, 1)])).devices[0].name == name)
    }

    @Test func notesAreChecked() {
        #expect(refusal(ofImage: .unikernel()) == nil)
        #expect(refusal(ofImage: .unikernel(abi: ELFBuilder.solo5ABI(target: 2))) == .wrongTarget(2))
        #expect(refusal(ofImage: .unikernel(abi: ELFBuilder.solo5ABI(version: 1))) == .unsupportedVersion(1))
        #expect(refusal(ofImage: .unikernel(abi: ELFBuilder.note(owner: "GNU", []))) == .noABI)
        #expect(refusal(ofImage: .unikernel(abi: ELFBuilder.solo5Note(0x3149_4241, []))) == .noteSize(0))
        #expect(
            refusal(ofImage: .unikernel(abi: ELFBuilder.solo5Note(0x3149_4241, [UInt8](repeating: 1, count: 33))))
                == .noteSize(33))
        var builder = ELFBuilder.unikernel()
        builder.segments.removeLast()
        #expect(refusal(ofImage: builder) == .noManifest)
        builder.segments.append(ELFBuilder.noteSegment(ELFBuilder.solo5Note(0x3154_464d, [0, 0, 0, 0])))
        #expect(refusal(ofImage: builder) == .noteSize(4))
        builder.segments[3] = ELFBuilder.noteSegment(
            ELFBuilder.solo5Note(0x3154_464d, [UInt8](repeating: 0, count: 6669)))
        #expect(refusal(ofImage: builder) == .noteSize(6669))
    }

    /// Solo5's test suite looks for these words.
    @Test func noteThatIsCutShort() {
        let note = ELFBuilder.solo5ABI()
        for size in 1..<12 {
            var builder = ELFBuilder.unikernel()
            builder.segments[2] = ELFBuilder.noteSegment(Array(note.prefix(size)))
            #expect(
                BootTests.refusal(of: builder.build())?.message.contains("note does not fall within valid size") == true
            )
        }
    }
}
