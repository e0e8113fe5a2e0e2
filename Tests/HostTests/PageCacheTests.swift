// Files that leave the page cache, files that are memory, and the CPUs of a thread.
//
// Read next: FileTests.swift.

import Glibc
import Host
import TestSupport
import Testing

@Suite(.serialized) struct PageCacheTests {
    @Test func aFileThatWasWrittenIsCachedAndCounted() throws {
        let folder = ScratchFolder()
        let path = try folder.file("pages", [UInt8](repeating: 1, count: 3 * 4096 + 1))
        let file = try File.regular(path)
        _ = try file.read(at: 0, 1 << 16)
        #expect(try file.cachedPages() == CachedPages(cached: 4, all: 4))
        let left = try file.dropFromPageCache()
        #expect(left.all == 4 && (0...4).contains(left.cached))  // on tmpfs all stay
        #expect(try file.read(at: 0, 1 << 16).count == 3 * 4096 + 1)
        #expect(try file.cachedPages().cached == 4)
    }

    @Test func anEmptyFileHasNoPages() throws {
        let folder = ScratchFolder()
        let file = try File.regular(try folder.file("empty", []))
        #expect(try file.dropFromPageCache() == CachedPages(cached: 0, all: 0))
    }

    @Test func memoryThatIsAFileIsOpenedByItsPath() throws {
        let file = try File.memory(size: 8192)
        try file.write([1, 2, 3], at: 4096)
        let other = try File.regular(file.pathForOthers)
        #expect(try other.size() == 8192)
        #expect(try other.read(at: 4095, 4) == [0, 1, 2, 3])
    }

    @Test func aCopyIsExecuted() throws {
        let copy = try File.copy(of: "/bin/sh")
        #expect(try copy.size() == File.regular("/bin/sh").size())
        var child = try ChildProcess(copy.pathForOthers, ["-c", "exit 7"])
        #expect(child.finish(limit: 60_000_000_000).end == .exited(7))
        #expect(throws: HostError.self) { _ = try File.copy(of: "/nowhere") }
    }

    @Test func aThreadIsKeptOnSeveralCPUs() throws {
        let before = allowedCPUs()
        defer { try? keepThread(on: before) }
        try keepThread(on: [before[0]])
        #expect(allowedCPUs() == [before[0]])
        try keepThread(on: before)
        #expect(allowedCPUs() == before)
        #expect(throws: HostError.self) { try keepThread(on: [before[0], 1024]) }
        #expect(throws: HostError.self) { try keepThread(on: []) }
    }
}
