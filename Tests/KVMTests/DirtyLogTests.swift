// Dirty log and dirty ring: exactly the pages that the guest wrote, once each time they were.
//
// Read next: Sources/KVM/DirtyLog.swift.

import Glibc
import TestSupport
import Testing

@testable import KVM

@Suite(.requiresKVM, .serialized) struct DirtyLogTests {
    /// Writes to pages 2, 5 and 9; then, after an exit, to page 5 again.
    static let code: [UInt8] = [
        0xc6, 0x06, 0x00, 0x20, 0x77,  // mov byte [0x2000], 0x77
        0xc6, 0x06, 0x00, 0x50, 0x77,
        0xc6, 0x06, 0xff, 0x9f, 0x77,  // mov byte [0x9fff], 0x77
        0xe6, 0x10,  // out 0x10, al
        0xc6, 0x06, 0x00, 0x50, 0x78,
        0xf4,
    ]

    private func slot(_ machine: RealModeMachine, _ flags: MemorySlot.Flags) -> MemorySlot {
        MemorySlot(
            index: 0, guestAddress: 0, size: UInt64(RealModeMachine.memorySize), hostAddress: machine.hostAddress,
            flags: flags)
    }

    @Test func theLogHasExactlyThePagesWritten() throws {
        let machine = try RealModeMachine(Self.code)
        try machine.vm.set(slot(machine, .logDirtyPages))
        var bitmap = DirtyBitmap(pages: 16)
        try machine.vm.readDirtyLog(slot: 0, into: &bitmap)
        #expect(bitmap.indices == [])
        _ = machine.next()
        try machine.vm.readDirtyLog(slot: 0, into: &bitmap)
        #expect((bitmap.indices, bitmap.count) == ([2, 5, 9], 3))
        #expect(machine.next() == .halt)
        try machine.vm.readDirtyLog(slot: 0, into: &bitmap)
        #expect(bitmap.indices == [5], "read once, counted anew")
    }

    @Test func withManualProtectionOnlyClearingForgets() throws {
        let machine = try RealModeMachine(Self.code)
        guard machine.vm.capability(Capability.dirtyLogProtect.number) != 0 else { return }
        try machine.vm.setDirtyLogProtection(.manual)
        try machine.vm.set(slot(machine, .logDirtyPages))
        _ = machine.next()
        var bitmap = DirtyBitmap(pages: 16)
        for _ in 0..<2 {
            try machine.vm.readDirtyLog(slot: 0, into: &bitmap)
            #expect(bitmap.indices == [2, 5, 9])
        }
        // The count of pages is a multiple of 64, or that of all of the slot's (KVM API, 4.117).
        try machine.vm.clearDirtyLog(slot: 0, bitmap)
        try machine.vm.readDirtyLog(slot: 0, into: &bitmap)
        #expect(bitmap.indices == [])
    }

    @Test func aSlotThatIsNotLoggedHasNoLog() throws {
        let machine = try RealModeMachine(Self.code)
        var bitmap = DirtyBitmap(pages: 16)
        let error = #expect(throws: KVMError.self) { try machine.vm.readDirtyLog(slot: 0, into: &bitmap) }
        #expect(error == KVMError("KVM_GET_DIRTY_LOG", errno: ENOENT))
    }

    @Test func pagesInAdvanceWhereThisKVMHasThat() throws {
        let machine = try RealModeMachine(Self.code)
        if machine.vm.capability(Capability.preFaultMemory.number) != 0 {
            try machine.vcpu.preFault(0, 0x1_0000)
        } else {
            let error = #expect(throws: KVMError.self) { try machine.vcpu.preFault(0, 0x1_0000) }
            #expect([EOPNOTSUPP, ENOTTY, EINVAL].contains(error?.errno))
        }
    }
}
