// The monitor's pages: stubs that cannot fault, the code that spares exits, and the log that the guest can spoil.

import CDeprivileged
import GuestMemory
import Host
import Testing
import X86

@testable import Deprivileged

@Suite("The monitor")
struct MonitorTests {
    private let memory: Range<UInt64> = 0x1_0000..<0x400_0000

    private func monitor(shortcuts: Bool) throws -> Monitor {
        var builder = try MonitorBuilder()
        builder.map(memory, [.present, .writable, .user])
        return try builder.finish(shortcuts: shortcuts ? memory : nil)
    }

    @Test("every stub is an OUT of its vector, and a jump back to it")
    func stubs() throws {
        let monitor = try monitor(shortcuts: false)
        for vector in 0..<MonitorMap.vectors {
            let code = monitor.loadEntry(MonitorMap.stub(vector))
            #expect(code == 0xfceb_00e7 | UInt64(vector) << 8)
        }
        let hasShortcuts = monitor.hasShortcuts
        #expect(!hasShortcuts)
    }

    @Test("with shortcuts, stub 13 jumps to code that knows memory and log, and keeps its OUT")
    func shortcuts() throws {
        let monitor = try monitor(shortcuts: true)
        let stub = MonitorMap.stub(13)
        let code = MonitorMap.stubs + UInt64(CDEPRIVILEGED_OFFSET)
        let (jump, out) = (monitor.loadEntry(stub) ?? 0, monitor.loadEntry(stub + 8))
        let words = (0..<3).map { monitor.loadEntry(code + 8 * $0) }
        #expect(jump & 0xff == 0xe9)
        #expect(stub + 5 + (jump >> 8) == code + UInt64(CDEPRIVILEGED_ENTRY) * 8)
        #expect(out == Stub.code(vector: 13))
        #expect(MonitorMap.isStub(stub + 10))
        #expect(words == [memory.lowerBound, memory.upperBound, MonitorMap.stack])
    }

    @Test("far memory is mapped, not present, and known to the shortcuts, until it is shown")
    func far() throws {
        let far: Range<UInt64> = 0x120_0000..<0x8120_0000  // of three page directories
        var builder = try MonitorBuilder()
        builder.map(0x1_0000..<far.lowerBound, [.present, .writable, .user])
        builder.mapFar(far, [.present, .writable, .user])
        builder.map(far.upperBound..<0x8140_0000, [.present, .writable, .user])
        var monitor = try builder.finish(shortcuts: 0x1_0000..<0x8140_0000)
        let places = [far.lowerBound, 0x4000_0000, 0x8000_0000, far.upperBound - 1]
        let code = MonitorMap.stubs + UInt64(CDEPRIVILEGED_OFFSET)
        let root = monitor.root
        for place in places { #expect(PageWalk.translate(place, root: root, in: monitor) == nil) }
        #expect(monitor.loadEntry(code + 32) == far.lowerBound - 16 && monitor.loadEntry(code + 40) == far.upperBound)
        #expect(try monitor.physical(far.lowerBound - 4, 8, write: true) == GuestAddress(far.lowerBound - 4))

        monitor.showFar()
        for place in places {
            let mapping = PageWalk.translate(place, root: root, in: monitor)
            #expect(mapping?.physical == place && mapping?.flags.contains([.present, .writable, .user]) == true)
        }
        #expect(PageWalk.translate(0x8140_0000, root: root, in: monitor) == nil)
        #expect(monitor.loadEntry(code + 32) == 0 && monitor.loadEntry(code + 40) == 0 && monitor.far.isEmpty)
    }

    @Test("the code ends with the jump to stub 13's OUT, inside the page")
    func slowPath() throws {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        while cdeprivileged_word(word) != 0 || word < CDEPRIVILEGED_ENTRY {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: cdeprivileged_word(word) >> UInt64(shift)))
            }
            word += 1
        }
        #expect(Int(CDEPRIVILEGED_OFFSET) + bytes.count < 4096)
        // POP RDI, RSI, RCX, RBX, JMP rel32; up to seven bytes of padding.
        let pops: [UInt8] = [0x5f, 0x5e, 0x59, 0x5b, 0xe9]
        let start = try #require((0..<bytes.count - 9).last { Array(bytes[$0..<$0 + 5]) == pops })
        let offset = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + 5 + $1]) << UInt32(8 * $1) }
        let next = Int(CDEPRIVILEGED_OFFSET) + start + 9
        #expect(next + Int(Int32(bitPattern: offset)) == 13 * Int(Stub.size) + 8)
        #expect(bytes.count - start - 9 < 8)
    }

    @Test("a log's length is the guest's word, cut to the room that there is", arguments: [0, 3072, 3073, UInt64.max])
    func length(_ length: UInt64) throws {
        let monitor = try monitor(shortcuts: true)
        monitor.storeEntry(length, MonitorMap.stack)
        let found = monitor.logLength
        #expect(found == min(length, 3072))
        let beyond = monitor.writeLog(from: 3072, to: Console(input: -1, output: -1))
        #expect(beyond == .gone)
        monitor.emptyLog()
        let empty = monitor.logLength
        #expect(empty == 0)
    }

    @Test("flags of ring 3: IOPL 3 whatever the guest has in its own, and IF is virtual")
    func flags() {
        #expect(Flags.real(0x7_7fd5 & ~0x200, interrupts: true) & 0x3200 == 0x3200)
        #expect(Flags.real(0x200, interrupts: false) & 0x3200 == 0x3000)
        #expect(Flags.real(0x2_4000, interrupts: false) & 0x2_4000 == 0)  // NT and VM
        #expect(Flags.virtual(0x3202, interrupts: false) == 2)
    }
}
