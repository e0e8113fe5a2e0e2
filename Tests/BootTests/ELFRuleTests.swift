// Every load rule: one image that breaks it and nothing else, and the error that names it.
//
// Read next: ELFTruncationTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

/// A valid image, spoiled.
struct BadImage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let error: ImageError

    /// A byte of the file is another one.
    init(_ what: String, _ error: ImageError, spoil: (inout [UInt8]) -> Void) {
        testDescription = what
        var bytes = ELFBuilder.guest().build()
        spoil(&bytes)
        self.bytes = bytes
        self.error = error
    }

    /// The file was made that way.
    init(_ what: String, _ error: ImageError, change: (inout ELFBuilder) -> Void) {
        testDescription = what
        var builder = ELFBuilder.guest()
        change(&builder)
        bytes = builder.build()
        self.error = error
    }

    /// Offsets in the file header (gABI, figure 4-3).
    private static let identity: [BadImage] = [
        BadImage("32-bit", .not64Bit) { $0[4] = 1 },
        BadImage("of no class", .not64Bit) { $0[4] = 0 },
        BadImage("big-endian", .notLittleEndian) { $0[5] = 2 },
        BadImage("of another ELF version", .malformed("ELF version 2")) { $0[6] = 2 },
        BadImage("for AArch64", .wrongMachine(183)) { $0.patch(18, UInt16(183)) },
        BadImage("an object file", .notExecutable(type: 1)) { $0.patch(16, UInt16(1)) },
        BadImage("a core", .notExecutable(type: 4)) { $0.patch(16, UInt16(4)) },
        BadImage("program headers of 32 bytes", .malformed("program headers of 32 bytes, not 56")) {
            $0.patch(54, UInt16(32))
        },
        BadImage("no program headers", .noSegments) { $0.patch(56, UInt16(0)) },
        BadImage("entry outside", .entryOutside(0x5_0000)) { $0.patch(24, UInt64(0x5_0000)) },
        BadImage("entry behind the last byte", .entryOutside(0x4_0002)) { $0.patch(24, UInt64(0x4_0002)) },
        BadImage("entry before the first byte", .entryOutside(0x3_ffff)) { $0.patch(24, UInt64(0x3_ffff)) },
        BadImage("entry at the end of addresses", .entryOutside(.max)) { $0.patch(24, UInt64.max) },
    ]

    private static func code(at address: UInt64, flags: UInt32 = 5, size: UInt64? = nil) -> ELFBuilder.Segment {
        ELFBuilder.Segment(flags: flags, address: address, content: [0xeb, 0xfe], memorySize: size)
    }

    /// A segment beside a valid one.
    private static func added(_ what: String, _ error: ImageError, _ segment: ELFBuilder.Segment) -> BadImage {
        BadImage(what, error, change: { $0.segments.insert(segment, at: 0) })
    }

    private static let segments: [BadImage] = [
        added("writable and executable", .writableAndExecutable(0x5_0000), code(at: 0x5_0000, flags: 7)),
        added("executable and writable, not readable", .writableAndExecutable(0x5_0000), code(at: 0x5_0000, flags: 3)),
        added("same page", .segmentOverlap(0x4_0000), code(at: 0x4_0800, flags: 4)),
        added("same page from below", .segmentOverlap(0x4_0000), code(at: 0x3_f800, flags: 4, size: 0x801)),
        added("one inside the other", .segmentOverlap(0x4_0000), code(at: 0x3_0000, flags: 4, size: 0x10_0000)),
        added("below where images begin", .belowImageStart(0x3_f000, lowest: 0x4_0000), code(at: 0x3_f123)),
        added("on the machine's tables", .belowImageStart(0x1000, lowest: 0x4_0000), code(at: 0x1000)),
        added("on page zero", .belowImageStart(0, lowest: 0x4_0000), code(at: 0)),
        added("address beyond 47 bits", .segmentOverflow(index: 0), code(at: 1 << 47)),
        added("address at the end", .segmentOverflow(index: 0), code(at: .max)),
        added("size beyond 47 bits", .segmentOverflow(index: 0), code(at: 0x5_0000, size: 1 << 47)),
        added("size that wraps", .segmentOverflow(index: 0), code(at: 0x5_0000, size: .max - 0x4_ffff)),
        added("sum of just 47 bits", .segmentOverflow(index: 0), code(at: 0x5_0000, size: 1 << 47 - 0x5_0000)),
        added(
            "longer in the file", .malformed("segment 0 is longer in the file than in memory"),
            code(at: 0x5_0000, size: 1)),
        added(
            "an interpreter", .dynamicallyLinked("it asks for a program interpreter"),
            ELFBuilder.Segment(type: 3, flags: 4, address: 0, content: Array("/lib64/ld.so".utf8))),
        BadImage("nothing to load", .noSegments, change: { $0.segments.removeFirst() }),
        BadImage("only an empty segment", .noSegments, change: { $0.segments[0].content = [] }),
        BadImage("entry in data", .entryOutside(0x4_0000), change: { $0.segments[0].flags = 6 }),
        BadImage("file size wraps", .malformed("segment 0 at file offset 0xb0")) {
            $0.patch(ELFBuilder.programHeader(0) + 32, UInt64.max)
        },
        BadImage("offset wraps", .malformed("segment 0 at file offset 0xffffffffffffffff")) {
            $0.patch(ELFBuilder.programHeader(0) + 8, UInt64.max)
        },
        BadImage("offset beyond 63 bits", .malformed("segment 0 at file offset 0x8000000000000000")) {
            $0.patch(ELFBuilder.programHeader(0) + 8, UInt64(1) << 63)
        },
        BadImage("program headers that wrap", .malformed("program headers at 0xfffffffffffffff8")) {
            $0.patch(32, UInt64.max - 7)
        },
    ]

    static let all = identity + segments
}

@Suite struct ELFRuleTests {
    @Test(arguments: BadImage.all)
    func ruleIsNamed(image: BadImage) {
        let error = refusal(of: image.bytes)
        #expect(error == image.error)
        #expect(error?.isReadable == true)
    }

    @Test func imagesThatBreakNoneBoot() {
        #expect(refusal(of: ELFBuilder.guest().build()) == nil)
        #expect(refusal(of: ELFBuilder.fullGuest().build()) == nil)
        #expect(refusal(of: ELFBuilder.movableGuest().build()) == nil)
    }

    @Test func segmentsMayComeInAnyOrderAndTouch() {
        var builder = ELFBuilder.guest()
        for page in [5, 2, 4, 1, 3] as [UInt64] {
            builder.segments.append(
                ELFBuilder.Segment(flags: 6, address: 0x4_0000 + page * 4096, content: [1], memorySize: 4096))
        }
        #expect(refusal(of: builder.build()) == nil)
    }

    /// A segment of zeros has nothing in the file: where its header points at does not matter.
    @Test func zeroedSegmentMayPointBehindTheFile() {
        var builder = ELFBuilder.guest()
        builder.segments.insert(ELFBuilder.Segment(flags: 6, address: 0x5_0000, content: [], memorySize: 4096), at: 0)
        var bytes = builder.build()
        bytes.patch(ELFBuilder.programHeader(0) + 8, UInt64(0x10_0000))
        #expect(refusal(of: bytes) == nil)
    }

    @Test func tooManySegmentsAreAnError() {
        var builder = ELFBuilder.guest()
        for page in 1..<100 as Range<UInt64> {
            builder.segments.append(ELFBuilder.Segment(flags: 4, address: 0x4_0000 + page * 4096, content: [1]))
        }
        #expect(refusal(of: builder.build()) == .malformed("more than 16 segments to load"))
    }

    /// 65,535 means that the real number is in a section header (gABI, "e_phnum"): there is none.
    @Test func hugeNumberOfProgramHeaders() {
        var bytes = ELFBuilder.guest().build()
        bytes.patch(56, UInt16.max)
        #expect(refusal(of: bytes)?.isReadable == true)
        bytes.pad(to: 1 << 22)
        #expect(refusal(of: bytes) == nil, "65,533 entries of no type in a file that is large enough")
    }

    private static let strangers: [([UInt8], ImageError)] = [
        ([], .empty), (Array("#!/bin/sh\n".utf8), .notELF(.script)), ([0x1f, 0x8b, 8], .notELF(.gzip)),
        ([0x7f], .notELF(.unknown)), (Array("hello".utf8), .notELF(.unknown)),
        ([UInt8](repeating: 0, count: 510) + [0x55, 0xaa], .notELF(.bootSector)),
        ([UInt8](repeating: 0, count: 0x202) + Array("HdrS".utf8) + [0], .notELF(.linux)),
        ([0x7f, 0x45, 0x4c, 0x46], .truncated(what: "the ELF header", needed: 64, size: 4)),
        ([0x7f, 0x45, 0x4c, 0x46, 1], .not64Bit),
    ]

    @Test(arguments: strangers.indices)
    func whatIsNoELFIsSaid(index: Int) {
        let (file, error) = Self.strangers[index]
        #expect(refusal(of: file) == error)
        #expect(error.isReadable)
    }
}
