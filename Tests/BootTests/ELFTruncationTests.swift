// Damage without a plan: files cut at every byte, every byte changed, and files that shrink while they are read.
//
// Whatever the file, the answer is a guest or an error with one line. Read next: ELFNoteTests.swift.

import CElf
import ImageBuilder
import TestSupport
import Testing

@testable import Boot

@Suite struct ELFTruncationTests {
    static let images: [ELFBuilder] = [.guest(), .fullGuest(), .movableGuest()]

    /// The last byte of the file that booting needs: of header, program headers and what these point at.
    private func needed(_ bytes: [UInt8]) -> Int {
        func number(_ offset: Int) -> Int { (0..<8).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
        return (0..<Int(bytes[56])).map { index in
            let (offset, size) = (ELFBuilder.programHeader(index) + 8, ELFBuilder.programHeader(index) + 32)
            return number(size) == 0 ? 0 : number(offset) + number(size)
        }.max() ?? 0
    }

    @Test(arguments: 0..<3)
    func cutAtEveryByte(image: Int) {
        let bytes = Self.images[image].build()
        for size in 0..<bytes.count {
            let error = refusal(of: Array(bytes[..<size]))
            #expect((error == nil) == (size >= needed(bytes)), "\(size) of \(bytes.count) bytes")
            if let error { #expect(error.isReadable) }
        }
    }

    @Test func cutIsNamedByWhatIsMissing() {
        let bytes = ELFBuilder.guest().build()
        func error(_ size: Int) -> ImageError? { refusal(of: Array(bytes[..<size])) }
        #expect(error(63) == .truncated(what: "the ELF header", needed: 64, size: 63))
        #expect(error(64) == .truncated(what: "the program header table", needed: 176, size: 64))
        #expect(error(175) == .truncated(what: "the program header table", needed: 176, size: 175))
        #expect(error(177) == .truncated(what: "segment 0", needed: 178, size: 177))
        #expect(error(200) == .truncated(what: "a note segment", needed: 216, size: 200))
    }

    /// The file is as long as it was when it was opened, and then it is not.
    @Test(arguments: 0..<3)
    func shrinksBeforeItIsRead(image: Int) {
        let bytes = Self.images[image].build()
        for size in 0..<bytes.count {
            let file = AnonymousFile(bytes)
            file.shorten(to: size)
            do throws(ImageError) {
                let elf = try ELFImage(fd: file.fd, fileSize: file.size)
                try load(elf)
                #expect(size >= needed(bytes))
            } catch { #expect(error.isReadable) }
        }
    }

    @Test(arguments: 0..<3)
    func shrinksBetweenHeadersAndSegments(image: Int) throws {
        let bytes = Self.images[image].build()
        for size in 0..<bytes.count {
            let file = AnonymousFile(bytes)
            let elf = try ELFImage(fd: file.fd, fileSize: file.size)
            file.shorten(to: size)
            do throws(ImageError) { try load(elf) } catch { #expect(error.isReadable) }
        }
    }

    private func load(_ elf: borrowing ELFImage) throws(ImageError) {
        let guest = try RingThree(elf, memorySize: 4 << 20, moduleSize: 0)
        _ = try guest.install(elf, in: makeMemory(guest.layout), parameters())
    }

    @Test(arguments: 0..<3, [0x00, 0xff, 0x01, 0x80, 0x40] as [UInt8])
    func everyByteChanged(image: Int, change: UInt8) {
        let bytes = Self.images[image].build()
        for place in bytes.indices {
            var bytes = bytes
            bytes[place] = change == 0 || change == 0xff ? change : bytes[place] ^ change
            if let error = refusal(of: bytes) { #expect(error.isReadable) }
            symbolOfEntry(bytes)
        }
    }

    /// Symbols are read after a crash: then it must not be us who crash.
    private func symbolOfEntry(_ bytes: [UInt8]) {
        let file = AnonymousFile(bytes)
        guard let elf = try? ELFImage(fd: file.fd, fileSize: file.size) else { return }
        for address in [0, elf.entry, elf.entry &+ 0x10, .max] { _ = elf.symbol(at: address) }
        _ = elf.kind
    }

    @Test func descriptorThatCannotBeReadIsAnError() {
        let error: ImageError?
        do throws(ImageError) {
            _ = try ELFImage(fd: -1, fileSize: 4096)
            error = nil
        } catch let thrown { error = thrown }
        #expect(error == .read(errno: 9))
        #expect(error?.isReadable == true)
    }
}
