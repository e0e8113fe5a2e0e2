// Which part of a process's memory is the guest's, from an invented smaps.

import Testing

@testable import Measure

@Suite struct ResidentMemoryTests {
    /// 4 MiB of guest memory in two mappings (the second is advised to be huge), between a program and a stack.
    private let smaps = """
        00200000-00300000 r--p 00000000 08:01 42                         /bin/vmm
        Size:               1024 kB
        Rss:                 700 kB
        00a00000-00b00000 rw-p 00000000 00:00 0                          [heap]
        Rss:                  60 kB
        7f0000000000-7f0000200000 rw-p 00000000 00:00 0 
        Size:               2048 kB
        Rss:                 120 kB
        7f0000200000-7f0000400000 rw-p 00000000 00:00 0 
        Rss:                2048 kB
        VmFlags: rd wr mr mw me ac nr hg
        7f0000500000-7f0000600000 rw-p 00000000 00:00 0 
        Rss:                   8 kB
        7ffe00000000-7ffe00100000 rw-p 00000000 00:00 0                  [stack]
        Rss:                  40 kB
        """

    @Test func guestIsCountedApart() throws {
        let memory = try #require(ResidentMemory(smaps: smaps, guestKiB: 4096))
        #expect(memory.guestKiB == 2168)
        #expect(memory.otherKiB == 808)
    }

    @Test func oneMappingWillDo() throws {
        #expect(try #require(ResidentMemory(smaps: smaps, guestKiB: 1024)).guestKiB == 8)
    }

    @Test func withoutGuestMemoryThereIsNoAnswer() {
        #expect(ResidentMemory(smaps: smaps, guestKiB: 65536) == nil)
        #expect(ResidentMemory(smaps: "", guestKiB: 4) == nil)
    }
}
