// What only a real vCPU does for a guest: exceptions reach its handlers, interrupts come, page-table edits take effect.
//
// Each guest ends with a status that it can only have by way of what is tested. Read next: Sources/VMM/RunLoop.swift.

import CABI
import TestSupport
import Testing
import X86

@testable import VMM

@Suite(.requiresKVM) struct RunLoopTests {
    private let folder = ScratchFolder()

    private func status(_ code: [UInt8]) throws -> UInt8? {
        var configuration = Configuration(image: try folder.file("guest.elf", GuestCode.image(code)))
        configuration.memorySize = 1 << 20
        configuration.timeout = 20_000_000_000
        let run = try RunMachine(configuration)
        if let crash = run.crash { Issue.record("\(run.machine.report(crash))") }
        return run.outcome.stop.guestStatus
    }

    /// mov rax, [0x42] faults; the handler asks where, and exits with the answer.
    @Test func pageFaultsAddressReachesItsHandler() throws {
        let access: [UInt8] = [0x48, 0x8b, 0x04, 0x25, 0x42, 0, 0, 0]
        let handler = GuestCode.call(SWIFTLET_CALL_FAULT_ADDRESS) + GuestCode.loadResult + GuestCode.exitWithRAX
        #expect(try status(GuestCode.handling(14, main: access, handler: handler)) == 0x42)
    }

    /// The error code lies on top of the handler's stack: pop rax.
    @Test func errorCodeLiesOnTheStack() throws {
        let write: [UInt8] = [0x48, 0x89, 0x04, 0x25, 0, 0, 4, 0]  // mov [0x40000], rax
        let code = GuestCode.handling(14, main: write, handler: [0x58] + GuestCode.exitWithRAX)
        #expect(try status(code) == 7, "present, write, user")
    }

    @Test func timerInterruptsALoop() throws {
        let timer = GuestCode.argument(0, 1_000_000) + GuestCode.argument(8, 32) + GuestCode.call(SWIFTLET_CALL_TIMER)
        let code = GuestCode.handling(32, main: timer + GuestCode.spin, handler: GuestCode.exit(5))
        #expect(try status(code) == 5)
    }

    @Test func timerInterruptsASleep() throws {
        let timer = GuestCode.argument(0, 2_000_000) + GuestCode.argument(8, 255) + GuestCode.call(SWIFTLET_CALL_TIMER)
        let code = GuestCode.handling(255, main: timer + GuestCode.sleep, handler: GuestCode.exit(6))
        #expect(try status(code) == 6)
    }

    /// While it is masked nothing comes; the handler finds itself masked and nothing pending.
    @Test func maskedInterruptComesWithTheCallThatFollows() throws {
        let (mask, pending) = (
            UInt32(SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED), UInt32(SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING)
        )
        let timer = GuestCode.argument(0, 0) + GuestCode.argument(8, 40) + GuestCode.call(SWIFTLET_CALL_TIMER)
        let look = GuestCode.argument(0, 0) + GuestCode.argument(8, 0) + GuestCode.call(SWIFTLET_CALL_POLL)
        let main = GuestCode.argument(mask, 1) + timer + look + GuestCode.argument(mask, 0) + look + GuestCode.exit(1)
        // mov eax, [mask]; shl eax, 1; or eax, [pending]: 2 when masked and nothing pending
        let page = UInt32(AddressMap.callPage(vcpu: 0))
        let handler =
            GuestCode.absolute([0x8b, 0x04, 0x25], page + mask) + [0xd1, 0xe0]
            + GuestCode.absolute([0x0b, 0x04, 0x25], page + pending) + GuestCode.exitWithRAX
        #expect(try status(GuestCode.handling(40, main: main, handler: handler)) == 2)
    }

    @Test func commitKeepsTheRootOrTakesAnother() throws {
        let keep = GuestCode.argument(0, 0) + GuestCode.call(SWIFTLET_CALL_COMMIT)
        let take = GuestCode.load(bootInfo: 40) + GuestCode.argumentFromRAX + GuestCode.call(SWIFTLET_CALL_COMMIT)
        #expect(try status(keep + take + keep + GuestCode.exit(8)) == 8)
    }

    /// A root without tables: nothing is mapped any more, not even the way to a report. Never a hang.
    @Test func wreckedRootIsTheEnd() throws {
        let code = GuestCode.argument(0, 0x8_0000) + GuestCode.call(SWIFTLET_CALL_COMMIT) + GuestCode.exit(1)
        var configuration = Configuration(image: try folder.file("guest.elf", GuestCode.image(code)))
        configuration.memorySize = 1 << 20
        let run = try RunMachine(configuration)
        #expect(run.outcome.stop.exitStatus == 126)
        #expect(run.report.hasPrefix("guest crashed: "))
    }
}
