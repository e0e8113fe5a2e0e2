// An hvt unikernel in memory: boot info, page tables and registers as Solo5's interface has them.
//
// Read next: Tests/VMMTests/HvtCallTests.swift.

import GuestMemory
import ImageBuilder
import TestSupport
import Testing
import X86

@testable import Boot

@Suite struct HvtGuestTests {
    /// An installed unikernel.
    private final class Installed {
        let guest: HvtGuest
        let memory: GuestMemory
        let state: CPUState

        init(
            _ builder: ELFBuilder, memorySize: UInt64 = 4 << 20, withRing: Bool = false, commandLine: String = ""
        ) throws(ImageError) {
            let file = AnonymousFile(builder.build())
            let image = try ELFImage(fd: file.fd, fileSize: file.size)
            guest = try HvtGuest(image, memorySize: memorySize, withRing: withRing)
            memory = makeMemory(guest.layout)
            state = try guest.install(
                image, in: memory, commandLine: commandLine, tscFrequency: 2_500_000_000)
        }

        func word(_ address: UInt64) -> UInt64? { memory.read(GuestAddress(address)) }
        func walk(_ address: UInt64) -> PageWalk.Mapping? {
            PageWalk.translate(address, root: state.cr3, in: memory)
        }
    }

    private func refusal(_ builder: ELFBuilder, memorySize: UInt64 = 4 << 20) -> Solo5Error? {
        do throws(ImageError) {
            _ = try Installed(builder, memorySize: memorySize)
            return nil
        } catch {
            if case .solo5(let error) = error { return error }
            Issue.record("\(error.message)")
            return nil
        }
    }

    @Test func registersAndBootInfo() throws {
        let installed = try Installed(.unikernel(), commandLine: "Hello there")
        #expect(installed.state == CPUState(rip: 0x10_0000, rsp: 0x3f_fff8, rdi: 0x1_0000, cr3: 0x2000))
        let manifest = ELFBuilder.solo5Manifest([])
        #expect(installed.word(0x1_0000) == 4 << 20)
        #expect(installed.word(0x1_0008) == 0x10_1000)
        #expect(installed.word(0x1_0010) == 2_500_000_000)
        #expect(installed.word(0x1_0018) == 0x1_0038 + UInt64(manifest.count))
        #expect(installed.word(0x1_0020) == 0x1_0038)
        #expect(installed.word(0x1_0028) == 0)
        #expect(installed.word(0x1_0030) == 0)
        #expect(installed.memory.bytes(GuestAddress(0x1_0038), manifest.count) == manifest)
        #expect(
            installed.memory.bytes(GuestAddress(0x1_0038 + UInt64(manifest.count)), 12)
                == Array("Hello there".utf8) + [0])
    }

    @Test func segmentDescriptors() throws {
        let installed = try Installed(.unikernel())
        #expect(installed.word(0x1000) == 0)
        #expect(installed.word(0x1008) == 0x00af_9900_0000_ffff)
        #expect(installed.word(0x1010) == 0x00cf_9300_0000_ffff)
    }

    @Test(arguments: [2, 4, 512, 4096] as [UInt64])
    func memoryIsMappedToItself(mebibytes: UInt64) throws {
        let size = mebibytes << 20
        let installed = try Installed(.unikernel(), memorySize: size)
        for address in [0, 0x1000, 0x2000, 0x8000, 0xffff] as [UInt64] { #expect(installed.walk(address) == nil) }
        for address in [0x1_0000, 0xf_ffff, 0x10_0000, 0x1f_ffff, size - 1] as [UInt64] {
            let mapping = installed.walk(address)
            #expect(mapping?.physical == address)
            #expect(mapping?.pageSize == (address < 0x20_0000 ? 0x1000 : 0x20_0000))
            #expect(mapping?.flags == (address < 0x10_0000 ? .present : [.present, .writable]))
        }
        for address in [size, size + 0x20_0000, 0x1_0000_0000, 0x4_0000_0000] as [UInt64] {
            #expect(installed.walk(address) == nil)
        }
    }

    @Test func ringLiesBehindMemory() throws {
        let installed = try Installed(.unikernel(), withRing: true)
        #expect(installed.guest.memorySize == 6 << 20)
        #expect(installed.guest.ring == 4 << 20..<6 << 20)
        #expect(installed.state.rsp == 0x3f_fff8)
        #expect(installed.word(0x1_0000) == 4 << 20)
        #expect(installed.word(0x1_0028) == 1)
        #expect(installed.word(0x1_0030) == 4 << 20)
        #expect(installed.walk(5 << 20)?.physical == 5 << 20)
        let largest = try Installed(.unikernel(), memorySize: 4 << 30, withRing: true)
        #expect(largest.guest.memorySize == 4 << 30)
        #expect(largest.guest.ring.lowerBound == 4 << 30 - 2 << 20)
    }

    @Test func memoryIsRoundedDown() throws {
        #expect(try Installed(.unikernel(), memorySize: 5 << 20).guest.memorySize == 4 << 20)
        #expect(refusal(.unikernel(), memorySize: 1 << 20) == .memorySize(1 << 20))
        #expect(refusal(.unikernel(), memorySize: 4 << 30 + 4096) == nil)
        #expect(refusal(.unikernel(), memorySize: 4 << 30 + 2 << 20) == .memorySize(4 << 30 + 2 << 20))
    }

    @Test func segmentsAreCheckedAgainstMemory() {
        func segment(_ address: UInt64, size: UInt64 = 0x1000) -> ELFBuilder {
            var builder = ELFBuilder.unikernel()
            builder.segments[1] = .init(
                flags: 5, address: address, content: [0xeb, 0xfe], memorySize: size, alignment: 1)
            builder.entry = address
            return builder
        }
        #expect(refusal(segment(0x10_0000)) == nil)
        #expect(refusal(segment(0x3f_f000)) == nil)
        #expect(refusal(segment(0xf_f000)) != nil)
        #expect(refusal(segment(0x40_0000)) != nil)
        #expect(refusal(segment(0x10_0000, size: 0x30_1000)) != nil)
        #expect(refusal(segment(0x10_0000, size: 0xfff)) != nil)
        var movable = ELFBuilder.unikernel()
        movable.type = 3
        #expect(refusal(movable) == .notStatic)
    }

    @Test func commandLineHasALimit() throws {
        _ = try Installed(.unikernel(), commandLine: String(repeating: "a", count: 8191))
        #expect(throws: ImageError.solo5(.commandLineTooLong(size: 8192, limit: 8191))) {
            _ = try Installed(.unikernel(), commandLine: String(repeating: "a", count: 8192))
        }
    }

    @Test func everyErrorIsALine() {
        let errors: [Solo5Error] = [
            .noABI, .wrongTarget(2), .wrongTarget(77), .unsupportedVersion(3), .noManifest, .invalidManifest("x"),
            .noteSize(0), .notStatic, .segment(1, "x"), .entry(0), .memorySize(0), .option("--x"),
            .notDeclared("d", known: []), .device("d"), .notAttached([], add: "--x"),
            .commandLineTooLong(size: 2, limit: 1),
        ]
        for error in errors { #expect(ImageError.solo5(error).isReadable) }
    }
}
