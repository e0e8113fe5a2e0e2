// Memory for measurements: as long as asked for, populated when asked, given back; and code that is called.
//
// Read next: Sources/Host/HostMapping.swift.

import Glibc
@testable import Host
import Testing

@Suite(.serialized) struct HostMappingTests {
    /// Kinds that every host has.
    static let kinds = HostMapping.Kind.allCases.filter { $0 != .hugetlb }

    /// Bytes of this process's address space between two addresses.
    private func mapped(_ range: Range<UInt>) throws -> Int {
        let maps = String(decoding: try File("/proc/self/maps", .read).read(at: 0, 1 << 22), as: UTF8.self)
        return maps.split(separator: "\n").reduce(0) { sum, line in
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < range.upperBound, ends[1] > range.lowerBound else { return sum }
            return sum + Int(min(ends[1], range.upperBound) - max(ends[0], range.lowerBound))
        }
    }

    /// Makes one, uses it, gives it back: where it was.
    private func place(of kind: HostMapping.Kind, size: Int) throws -> Range<UInt> {
        let mapping = try HostMapping(kind, size: size)
        let range = mapping.address..<mapping.address + UInt(size)
        #expect((mapping.size, mapping.address % (2 << 20)) == (size, 0))
        #expect(try mapped(range) == size)
        mapping.store(7, at: size - 8)
        #expect(mapping.load(at: size - 8) == 7)
        return range
    }

    /// Another thread's mapping may come to lie where ours was, but not each time.
    @Test(arguments: kinds) func isAsLongAsAskedAndIsGivenBack(_ kind: HostMapping.Kind) throws {
        #expect(try (0..<20).contains { _ in try mapped(try place(of: kind, size: (3 << 20) + 4096)) == 0 })
    }

    /// What was written to a private mapping goes with the page; what is copied is the page's, whole.
    @Test(arguments: [HostMapping.Kind.privateFile, .copyOnWrite])
    func pagesArePutBack(_ kind: HostMapping.Kind) throws {
        let mapping = try HostMapping(kind, size: 4 * 4096)
        let other = try HostMapping(kind, size: 4 * 4096)
        let content = other.load(at: 0)
        #expect(content != 0)
        for page in 0..<4 { mapping.store(UInt64(page), at: page * 4096 + 4088) }
        try mapping.discard(1..<2)
        mapping.copyPage(3, from: other)
        #expect((0..<4).map { mapping.load(at: $0 * 4096 + 4088) } == [0, content, 2, content])
    }

    /// Areas as smaps has them; the first and the last are others'.
    @Test func hugePagesAreCountedWhereTheyAreOurs() {
        let areas = """
            7f0000000000-7f0000200000 rw-p 00000000 00:00 0
            AnonHugePages:      2048 kB
            7f0000200000-7f0000800000 rw-p 00000000 00:00 0
            Size:               6144 kB
            AnonHugePages:      4096 kB
            VmFlags: rd wr mr mw me ac sd hg
            7f0000800000-7f0000a00000 rw-p 00000000 00:00 0    [stack]
            AnonHugePages:      2048 kB

            """
        #expect(HostMapping.hugeBytes(of: 0x7f00_0020_0000..<0x7f00_0080_0000, in: areas) == 4 << 20)
        #expect(HostMapping.hugeBytes(of: 0x7f00_0020_0000..<0x7f00_0080_0001, in: areas) == 6 << 20)
        #expect(HostMapping.hugeBytes(of: 0x1000..<0x2000, in: areas) == 0)
    }

    @Test func smallPagesAreNotHuge() throws {
        let mapping = try HostMapping(.anonymous, size: 4 << 20)
        try mapping.populate()
        #expect(try mapping.hugeBytes() == 0)
    }

    @Test func nothingIsThereBeforeItIsPopulated() throws {
        for kind in [HostMapping.Kind.anonymous, .memfd] {
            let mapping = try HostMapping(kind, size: 4 << 20)
            #expect(mapping.residentPages().isEmpty, "\(kind)")
            mapping.store(1, at: 5 * 4096)
            #expect(mapping.residentPages() == [5], "\(kind)")
            try mapping.populate()
            #expect(mapping.residentPages().count == 1024, "\(kind)")
        }
    }

    /// Files have content, which a private mapping does not change for others.
    @Test(arguments: [HostMapping.Kind.sharedFile, .privateFile, .copyOnWrite])
    func filesAreFull(_ kind: HostMapping.Kind) throws {
        let mapping = try HostMapping(kind, size: 2 << 20)
        #expect(mapping.load(at: (2 << 20) - 8) == 0x5a5a_5a5a_5a5a_5a5a)
        #expect(mapping.residentPages().count == 512)
    }

    @Test func hugePagesAreThereOrAreRefused() {
        do throws(HostError) {
            #expect(try HostMapping(.hugetlb, size: 2 << 20).size == 2 << 20)
        } catch { #expect(error.call == "mmap" && error.errno == ENOMEM) }
    }

    @Test func moreThanThereIsAddressSpaceIsRefused() {
        let error = #expect(throws: HostError.self) { _ = try HostMapping(.anonymous, size: 1 << 50) }
        #expect(error?.errno == ENOMEM)
    }

    @Test func codeIsCalledWithItsArgument() throws {
        let word = try HostMapping(.anonymous, size: 4096)
        let code = try FlatCode([0x48, 0xc7, 0x07, 0x2a, 0, 0, 0, 0xc3])  // movq $42, (%rdi); ret
        code.call(word.address)
        #expect(word.load(at: 0) == 42)
    }
}
