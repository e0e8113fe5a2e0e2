// Populating memory, and how much there is room for.
//
// Read next: GrowthTests.swift.

import GuestMemory
import Testing

@testable import Backing

@Suite struct PrefaultTests {
    @Test(arguments: [1, 2, 7, 0])
    func everyPageIsThere(threads: Int) throws {
        let memory = try GuestMemory(low: 0x1_0000..<40 << 20, high: 1 << 32..<1 << 32 + 6 << 20)
        try Prefault(memory, backing: .anonymous, threads: threads).run(quiet: true)
        let base = UInt64(memory.hostBase)
        let scan = PageScan()
        let low = scan?.count(base + 0x1_0000..<base + 40 << 20)
        #expect(low?.resident == 40 << 20 - 0x1_0000)
        #expect(scan?.count(base + 1 << 32..<base + 1 << 32 + 6 << 20)?.resident == 6 << 20)
        #expect(scan?.count(base..<base + 0x1_0000)?.resident == 0)
    }

    @Test func nobodyIsKilledForMemory() throws {
        let memory = try GuestMemory(low: 0..<8 << 20)
        let room = Room(bytes: 8 << 20 - 1, limitedBy: "a test")
        #expect(throws: BackingError.notEnough(needed: 8 << 20, available: room.bytes, limitedBy: "a test")) {
            _ = try Prefault(memory, backing: .memfd, threads: 1, room: room)
        }
        _ = try Prefault(memory, backing: .memfd, threads: 1, room: Room(bytes: 8 << 20, limitedBy: ""))
        _ = try Prefault(memory, backing: .hugetlb, threads: 1, room: room)
    }

    @Test func threadsAreANumber() {
        #expect(Prefault.threads(nil) == 0 && Prefault.threads("1") == 1 && Prefault.threads("1024") == 1024)
        for text in ["", "0", "-1", "1025", "x", "1.5"] { #expect(Prefault.threads(text) == nil) }
    }
}

@Suite struct RoomTests {
    @Test func theKernelsWordsAreRead() {
        let text = "MemTotal:       24683520 kB\nMemFree:          516096 kB\nMemAvailable:   24167424 kB\n"
        #expect(Room.available(meminfo: text) == 24_167_424 << 10)
        #expect(Room.available(meminfo: "MemTotal: 1 kB\n") == nil)
    }

    @Test func everyGroupAboveCounts() {
        #expect(Room.groups(of: "0::/\n") == ["/sys/fs/cgroup"])
        #expect(
            Room.groups(of: "1:name=systemd:/x\n0::/a/b.slice\n")
                == ["/sys/fs/cgroup", "/sys/fs/cgroup/a", "/sys/fs/cgroup/a/b.slice"])
        #expect(Room.groups(of: "4:memory:/a\n") == [])
    }

    @Test func thisHostHasRoom() { #expect(Room.now()?.bytes ?? 0 > 1 << 20) }
}
