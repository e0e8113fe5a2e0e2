// Guest memory in a memfd and in files: the same memory as anonymous memory is, and a file's rules.
//
// Read next: BusErrorTests.swift.

import Glibc
import GuestMemory
import Host
import TestSupport
import Testing

@testable import Backing

/// 6 MiB, half of them above 4 GiB.
func splitMemory(limit: UInt64 = 0) throws -> GuestMemory {
    try GuestMemory(low: 0x1_0000..<3 << 20, high: 1 << 32..<1 << 32 + 3 << 20, limit: limit)
}

@Suite struct BackingNameTests {
    @Test func everyKindHasAName() {
        #expect(Backing("anon") == .anonymous && Backing("thp") == .transparentHuge)
        #expect(Backing("memfd") == .memfd && Backing("hugetlb") == .hugetlb)
        #expect(Backing("file:/a:b") == .file("/a:b"))
        #expect(Backing("file:x")?.path == "x" && Backing("memfd")?.path == nil)
    }

    @Test(arguments: ["", "anon ", "ANON", "file", "file:", "hugetlbfs", "memfd:x"])
    func whatIsNone(text: String) { #expect(Backing(text) == nil) }
}

@Suite struct StoreTests {
    static let kinds = ["anon", "thp", "memfd", "file"]

    private func backing(_ kind: String, _ folder: ScratchFolder) -> Backing {
        kind == "file" ? .file(folder.path + "/memory") : Backing(kind) ?? .anonymous
    }

    @Test(arguments: kinds)
    func memoryStartsAsZerosAndKeepsWhatIsWritten(kind: String) throws {
        let folder = ScratchFolder()
        let memory = try splitMemory()
        let store = try MemoryStore.open(backing(kind, folder), for: memory)
        for address: UInt64 in [0x1_0000, 3 << 20 - 8, 1 << 32, 1 << 32 + 3 << 20 - 8] {
            #expect(memory.read(GuestAddress(address), as: UInt64.self) == 0)
            #expect(memory.write(address + 1, at: GuestAddress(address)) == true)
        }
        for address: UInt64 in [0x1_0000, 3 << 20 - 8, 1 << 32, 1 << 32 + 3 << 20 - 8] {
            #expect(memory.read(GuestAddress(address), as: UInt64.self) == address + 1)
        }
        #expect((store == nil) == (kind == "anon" || kind == "thp"))
    }

    @Test(arguments: kinds)
    func whatIsGivenBackIsZeroAndNothingElse(kind: String) throws {
        let folder = ScratchFolder()
        let memory = try splitMemory()
        let store = try MemoryStore.open(backing(kind, folder), for: memory)
        let start: UInt64 = 1 << 32
        for page in 0..<UInt64(768) { memory.write(page + 1, at: GuestAddress(start + page * 4096)) }
        #expect(MemoryStore.release(GuestAddress(start + 5 * 4096), 700 * 4096, of: memory, in: store) == 0)
        for page in 0..<UInt64(768) {
            let expected = (5..<705).contains(page) ? 0 : page + 1
            #expect(memory.read(GuestAddress(start + page * 4096), as: UInt64.self) == expected)
        }
        #expect(MemoryStore.release(GuestAddress(start), 0, of: memory, in: store) == 0)
        #expect(MemoryStore.release(GuestAddress(start), 4 << 20, of: memory, in: store) == EINVAL)
        #expect(MemoryStore.release(GuestAddress(0x1000), 4096, of: memory, in: store) == EINVAL)
        #expect(MemoryStore.release(GuestAddress(.max - 4095), 4096, of: memory, in: store) == EINVAL)
    }

    /// On both sides of the first 2 MiB, where pages become huge; the neighbours stay the file's.
    @Test func whatAFileLiesUnderDoesNotComeBack() throws {
        let folder = ScratchFolder()
        let file = try File(try folder.file("under", [UInt8](repeating: 7, count: 1 << 20)), .read)
        let memory = try GuestMemory(low: 0x1_0000..<4 << 20)
        let start = 3 << 19
        let place = unsafe mmap(
            UnsafeMutableRawPointer(bitPattern: memory.hostBase + UInt(start)), 1 << 20, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_FIXED, file.fd, 0)
        let isMapped = unsafe place != MAP_FAILED
        try #require(isMapped)
        let first = GuestAddress(UInt64(start) + 4096)
        memory.write(UInt64(1), at: first)
        #expect(MemoryStore.release(first, 1 << 20 - 8192, of: memory, in: nil, isMapped: true) == 0)
        #expect(MemoryStore.release(first, 0, of: memory, in: nil, isMapped: true) == 0)
        #expect(memory.read(GuestAddress(UInt64(start) + 4088)) == UInt64(0x0707_0707_0707_0707))
        for page in 1..<255 {
            #expect(memory.read(GuestAddress(UInt64(start + page * 4096))) == UInt64(0))
        }
        #expect(memory.read(GuestAddress(UInt64(start + 255 * 4096))) == UInt64(0x0707_0707_0707_0707))
    }

    /// Byte n of memory is byte n of the file.
    @Test func aFileHoldsMemoryInOrder() throws {
        let folder = ScratchFolder()
        let path = folder.path + "/memory"
        let memory = try splitMemory()
        let store = try MemoryStore.open(.file(path), for: memory)
        memory.write(bytes: Array("low".utf8), at: GuestAddress(0x2_0000))
        memory.write(bytes: Array("high".utf8), at: GuestAddress(1 << 32 + 4096))
        let file = try File(path, .read)
        #expect(try file.size() == 6 << 20)
        #expect(try file.read(at: 0x2_0000, 3) == Array("low".utf8))
        #expect(try file.read(at: 3 << 20 + 4096, 4) == Array("high".utf8))
        #expect(store?.lostPages(memory) == false)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_blocks * 512 >= 6 << 20, "its room is reserved")
    }

    @Test func hugePagesAreThereOrTheMessageSaysHowMany() throws {
        let memory = try GuestMemory(low: 0x1_0000..<4 << 20)
        let pool = HugePages()
        do throws(BackingError) {
            let store = try MemoryStore.open(.hugetlb, for: memory)
            memory.write(UInt64(7), at: GuestAddress(0x1_0000))
            memory.write(UInt64(8), at: GuestAddress(2 << 20 + 4096))
            #expect(MemoryStore.release(GuestAddress(2 << 20), 4096, of: memory, in: store) == 0)
            #expect(memory.read(GuestAddress(2 << 20 + 4096), as: UInt64.self) == 8)
            #expect(MemoryStore.release(GuestAddress(0x1_0000), 4 << 20 - 0x1_0000, of: memory, in: store) == 0)
            #expect(memory.read(GuestAddress(0x1_0000), as: UInt64.self) == 0)
            #expect(memory.read(GuestAddress(2 << 20 + 4096), as: UInt64.self) == 0)
        } catch {
            guard let pool else {
                #expect(error == .noHugePages)
                return
            }
            #expect(error == .hugePages(needed: 2, free: pool.free, reserved: pool.reserved))
            #expect(error.message.hasSuffix("sudo sysctl vm.nr_hugepages=\(pool.reserved - pool.free + 2)"))
        }
    }

    @Test func hugePagesAreWhole() throws {
        let memory = try GuestMemory(low: 0x1_0000..<3 << 20)
        #expect(throws: BackingError.unaligned(3 << 20)) { _ = try MemoryStore.open(.hugetlb, for: memory) }
    }
}

@Suite struct MemoryFileTests {
    @Test func whatAnEarlierRunLeftIsEmptied() throws {
        let folder = ScratchFolder()
        let path = try folder.file("memory", [UInt8](repeating: 0xff, count: 1 << 20))
        let file = try openMemoryFile(path, size: 1 << 20, limit: 0)
        #expect(try file.size() == 1 << 20)
        #expect(try file.read(at: 0, 1 << 20).allSatisfy { $0 == 0 } == true)
    }

    @Test(arguments: [0, 1, 1 << 20 - 1, 1 << 20 + 1, 2 << 20] as [Int])
    func anotherSizeIsSomebodysFile(size: Int) throws {
        let folder = ScratchFolder()
        let path = try folder.file("memory", [UInt8](repeating: 1, count: size))
        #expect(throws: BackingError.wrongSize(path, size: UInt64(size), needed: 1 << 20)) {
            _ = try openMemoryFile(path, size: 1 << 20, limit: 0)
        }
        #expect(try File(path, .read).size() == UInt64(size), "and stays as it is")
    }

    @Test func whatMemoryGrewToIsTakenOver() throws {
        let folder = ScratchFolder()
        let path = try folder.file("memory", [UInt8](repeating: 1, count: 3 << 20))
        #expect(try openMemoryFile(path, size: 1 << 20, limit: 4 << 20).size() == 1 << 20)
    }

    @Test func twoMachinesNeedTwoFiles() throws {
        let folder = ScratchFolder()
        let path = folder.path + "/memory"
        let first = try openMemoryFile(path, size: 1 << 20, limit: 0)
        #expect(throws: BackingError.inUse(path)) { _ = try openMemoryFile(path, size: 1 << 20, limit: 0) }
        #expect(try first.size() == 1 << 20)
    }

    @Test func whatIsNoFile() throws {
        let folder = ScratchFolder()
        let pipe = folder.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: BackingError.notRegular(pipe)) { _ = try openMemoryFile(pipe, size: 1 << 20, limit: 0) }
        #expect(throws: BackingError.call("open \(folder.path)", errno: EISDIR)) {
            _ = try openMemoryFile(folder.path, size: 1 << 20, limit: 0)
        }
        #expect(throws: BackingError.call("open /nowhere/memory", errno: ENOENT)) {
            _ = try openMemoryFile("/nowhere/memory", size: 1 << 20, limit: 0)
        }
    }

    /// An exbibyte fits on no disk; which errno says so is the file system's.
    @Test func aFullDiskIsAnErrorAtTheStart() throws {
        let folder = ScratchFolder()
        let path = folder.path + "/memory"
        do throws(BackingError) {
            _ = try openMemoryFile(path, size: 1 << 60, limit: 0)
            Issue.record("there is room for an exbibyte")
        } catch {
            guard case .noRoom(path, 1 << 60, let errno) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(errno == ENOSPC || errno == EFBIG)
        }
        #expect(access(path, F_OK) != 0, "nothing is left behind")
    }
}
