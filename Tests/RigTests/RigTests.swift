// The rig: each mode runs code, its tables report what the code does not handle, and it ends in time.
//
// Read next: Sources/Rig/Rig.swift.

import KVM
import TestSupport
import Testing

@testable import Rig

@Suite(.serialized) struct RigTests {
    /// For ever: OUT of EAX to the port.
    private func out(_ port: UInt16, _ mode: CPUMode) -> [UInt8] {
        let out = [0xe7, UInt8(port)]
        return mode == .real ? [0x66] + out + [0xeb, 0xfb] : out + [0xeb, 0xfc]
    }

    private func rig(_ mode: CPUMode, _ code: [UInt8], _ change: (inout RigPlan) -> Void = { _ in }) throws -> Rig {
        var plan = RigPlan(mode, code: code)
        change(&plan)
        let rig = try Rig(try KVM(), plan)
        rig.limit(nanoseconds: 500_000_000)
        return rig
    }

    @Test(.requiresKVM, arguments: CPUMode.allCases)
    func theDonePortEndsACollection(_ mode: CPUMode) throws {
        let rig = try rig(mode, out(RigMap.done, mode))
        let trips = try rig.collect(3) { _, _ in false }
        #expect((trips.guest.count, trips.host.count) == (3, 0))
        #expect(trips.guest.allSatisfy { $0.start == 0 && $0.end == 0 })
    }

    @Test(.requiresKVM, arguments: CPUMode.allCases)
    func anExitThatIsNotAnsweredIsAnError(_ mode: CPUMode) throws {
        let rig = try rig(mode, out(RigMap.port, mode))
        let error = #expect(throws: RigError.self) { _ = try rig.collect(1) { _, _ in false } }
        guard case .unexpected(.portWrite(RigMap.port, 4, 1, _)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// DIV by zero and by an absent handler: the stub of vector 0 reports it by an OUT to port 0.
    @Test(.requiresKVM, arguments: CPUMode.allCases)
    func anExceptionIsReportedByItsVector(_ mode: CPUMode) throws {
        let rig = try rig(mode, [0x30, 0xc9, 0xf6, 0xf1])  // xor %cl, %cl; div %cl
        guard case .portWrite(let port, _, 1, _) = try rig.run() else {
            Issue.record("\(rig.vcpu.exit)")
            return
        }
        #expect(port == 0)
    }

    @Test(.requiresKVM) func aMemoryOfSmallPagesIsUsable() throws {
        let rig = try rig(.ring3, out(RigMap.done, .ring3)) {
            $0.usesHugePages = false
            $0.memorySize = 8 << 20
        }
        _ = try rig.collect(1) { _, _ in false }
        #expect(rig.memory.low.upperBound == 8 << 20)
    }

    /// Without a local APIC in the kernel its page is nobody's; one that is not enabled reads as ones
    /// (KVM_X86_QUIRK_LAPIC_MMIO_HOLE); one that is says its number.
    @Test(.requiresKVM) func theLocalAPICAnswersWhereItIsEnabled() throws {
        // mov (0xfee00020), %eax
        let read: [UInt8] = [0xbb, 0x20, 0, 0xe0, 0xfe, 0x8b, 0x03] + out(RigMap.done, .ring3)
        let none = try rig(.ring3, read) { $0.irqchip = .none }.run()
        #expect(none == .mmioRead(address: 0xfee0_0020, size: 4))
        let disabled = try rig(.ring3, read).run()
        #expect(disabled == .portWrite(port: RigMap.done, size: 4, count: 1, value: 0xffff_ffff))
        let enabled = try rig(.ring3, read) { $0.usesLocalAPIC = true }.run()
        #expect(enabled == .portWrite(port: RigMap.done, size: 4, count: 1, value: 0))
    }
}
