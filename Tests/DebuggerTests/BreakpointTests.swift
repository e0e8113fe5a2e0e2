// Debug registers as the manual has them (Intel SDM vol. 3B, figure 18-1), and what is told of a stop.
//
// Read next: Sources/Debugger/Breakpoints.swift.

import KVM
import Testing
import VMM

@testable import Debugger

@Suite struct BreakpointTests {
    @Test func debugRegistersHoldFour() {
        var breakpoints = Breakpoints()
        let wishes: [(Breakpoints.Watch, Bool)] = [
            (.init(kind: .execute, address: 0x1000, size: 1), true),
            (.init(kind: .write, address: 0x2000, size: 8), true),
            (.init(kind: .access, address: 0x3004, size: 4), true),
            (.init(kind: .write, address: 0x4001, size: 1), true),
            (.init(kind: .write, address: 0x5000, size: 1), false),  // there are four
            (.init(kind: .write, address: 0x2000, size: 8), true),  // it is there already
        ]
        for (wish, isPossible) in wishes {
            let isTaken = breakpoints.watch(wish)
            #expect(isTaken == isPossible)
        }
        var debug = GuestDebug()
        breakpoints.fill(&debug)
        #expect(debug.addresses[0] == 0x1000 && debug.addresses[3] == 0x4001)
        // Enabled 1, 3, 5, 7; conditions and lengths of four bits each: execute 1, write 8, access 4, write 1.
        #expect(debug.control == 0x700 | 0xaa | 0x0 << 16 | 0x9 << 20 | 0xf << 24 | 0x1 << 28)
        #expect(breakpoints.hit(0xffff_0ff4)?.address == 0x3004 && breakpoints.hit(0x4000) == nil)
        breakpoints.unwatch(.init(kind: .write, address: 0x2000, size: 8))
        #expect(breakpoints.watches.count == 3)
    }

    @Test(arguments: [(WatchKind.write, 0x1001, 2), (.write, 0x1000, 3), (.access, 0x1004, 8), (.execute, 0x1000, 2)])
    func whatNoDebugRegisterCanWatch(kind: WatchKind, address: UInt64, size: UInt64) {
        var breakpoints = Breakpoints()
        let isTaken = breakpoints.watch(.init(kind: kind, address: address, size: size))
        #expect(!isTaken)
        var debug = GuestDebug()
        breakpoints.fill(&debug)
        #expect(debug.control == 0)
    }

    @Test func stopsArePackets() {
        #expect(
            StopReason.breakpoint(isSoftware: true).packet(knowsBreakpoints: true, thread: "1")
                == "T05swbreak:;thread:1;")
        #expect(StopReason.breakpoint(isSoftware: false).packet(knowsBreakpoints: false, thread: "1") == "T05thread:1;")
        #expect(
            StopReason.watchpoint(0xbeef, isAccess: false).packet(knowsBreakpoints: true, thread: "1")
                == "T05watch:beef;thread:1;")
        #expect(StopReason.interrupt.packet(knowsBreakpoints: true, thread: "1") == "T02thread:1;")
        #expect(StopReason.end(.exited(status: 3)).packet(knowsBreakpoints: true, thread: "1") == "W03")
        #expect(StopReason.end(.signalled(15)).packet(knowsBreakpoints: true, thread: "1") == "X0f")
    }
}
