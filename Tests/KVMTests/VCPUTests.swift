// A vCPU at work: exits arrive as what the guest did, answers reach it, kicks end a run.
//
// Read next: Sources/KVM/VCPU.swift.

import CKVM
import Glibc
import Host
import TestSupport
import Testing

@testable import KVM

@Suite(.requiresKVM) struct VCPUTests {
    @Test func portsMemoryAndHaltAreExits() throws {
        let machine = try RealModeMachine([
            0xb8, 0x34, 0x12,  // mov ax, 0x1234
            0xe6, 0x10,  // out 0x10, al
            0xe7, 0x11,  // out 0x11, ax
            0xba, 0x20, 0x05,  // mov dx, 0x520
            0x66, 0xef,  // out dx, eax
            0xec,  // in al, dx
            0xa2, 0x00, 0x20,  // mov [0x2000], al
            0xf4,  // hlt
        ])
        #expect(machine.next() == .portWrite(port: 0x10, size: 1, count: 1, value: 0x34))
        #expect(machine.next() == .portWrite(port: 0x11, size: 2, count: 1, value: 0x1234))
        #expect(machine.next() == .portWrite(port: 0x520, size: 4, count: 1, value: 0x1234))
        #expect(machine.next() == .portRead(port: 0x520, size: 1, count: 1))
        machine.vcpu.answerPortRead(0x5a)
        #expect(machine.next() == .halt)
        #expect(machine.byte(at: 0x2000) == 0x5a)
        #expect(machine.vcpu.instructionPointer == 0x1011, "synchronised, without a system call")
        #expect(try machine.vcpu.registers().rip == 0x1011)
    }

    @Test func accessWhereNothingIsIsAMemoryExit() throws {
        let machine = try RealModeMachine([
            0xb8, 0x00, 0xf0,  // mov ax, 0xf000
            0x8e, 0xd8,  // mov ds, ax
            0xc6, 0x06, 0x00, 0xf0, 0x77,  // mov byte [0xf000], 0x77: linear 0xff000
            0xa0, 0x01, 0xf0,  // mov al, [0xf001]
            0xf4,
        ])
        #expect(machine.next() == .mmioWrite(address: 0xff000, size: 1, value: 0x77))
        #expect(machine.next() == .mmioRead(address: 0xff001, size: 1))
    }

    @Test func writeToAReadOnlySlotIsAMemoryExit() throws {
        let machine = try RealModeMachine([
            0xb8, 0x00, 0x10,  // mov ax, 0x1000
            0x8e, 0xd8,  // mov ds, ax
            0xc6, 0x06, 0x08, 0x00, 0x77,  // mov byte [8], 0x77: linear 0x10008
            0xf4,
        ])
        try machine.vm.set(
            MemorySlot(
                index: 1, guestAddress: 0x1_0000, size: 4096, hostAddress: machine.hostAddress, flags: .readOnly))
        #expect(machine.next() == .mmioWrite(address: 0x1_0008, size: 1, value: 0x77))
        #expect(machine.next() == .halt)
        #expect(machine.byte(at: 8) == 0)
    }

    @Test func immediateExitRunsNothing() throws {
        let machine = try RealModeMachine([0xe6, 0x10, 0xeb, 0xfe])  // out, then loop for ever
        machine.vcpu.immediateExit = true
        #expect(machine.vcpu.run() == EINTR)
        machine.vcpu.immediateExit = false
        #expect(machine.next() == .portWrite(port: 0x10, size: 1, count: 1, value: 0))
        #expect(try machine.vcpu.registers().rip <= 0x1002)
        machine.vcpu.completePendingIO()
        #expect(try machine.vcpu.registers().rip == 0x1002, "an instruction boundary on every KVM")
    }

    /// The guest loops for ever: only the kick ends it.
    @Test func kickEndsARun() throws {
        try Thread.installKick()
        let outcome = Shared()
        let thread = try Thread {
            guard let machine = try? RealModeMachine([0xeb, 0xfe]) else { return outcome.isDone = true }
            Thread.setKickByte(address: machine.vcpu.kickByteAddress)
            outcome.value = machine.vcpu.run()
            Thread.setKickByte(address: 0)
            outcome.isDone = true
        }
        while !outcome.isDone {
            thread.kick()
            usleep(1000)
        }
        thread.join()
        #expect(outcome.value == EINTR)
    }

    @Test func doorbellRingsWithoutAnExit() throws {
        let machine = try RealModeMachine([
            0xb0, 0x01,  // mov al, 1
            0xe6, 0x42,  // out 0x42, al
            0xe6, 0x42,
            0xe6, 0x43,  // out 0x43, al
            0xf4,
        ])
        let event = try EventFD()
        try machine.vm.attach(event, to: .port(0x42, size: 1))
        #expect(machine.next() == .portWrite(port: 0x43, size: 1, count: 1, value: 1))
        #expect(event.take() == 2)
        #expect(throws: KVMError("KVM_IOEVENTFD", errno: EEXIST)) {
            try machine.vm.attach(event, to: .port(0x42, size: 1))
        }
        #expect(throws: KVMError("KVM_IOEVENTFD", errno: EINVAL)) {
            try machine.vm.attach(event, to: .memory(0x8000_0000, size: 3))
        }
    }

    @Test func registersComeBackAsTheyWere() throws {
        let machine = try RealModeMachine([0xf4])
        var general = try machine.vcpu.registers()
        (general.rax, general.r15, general.rflags) = (0x1122_3344_5566_7788, .max, 0x202)
        try machine.vcpu.setRegisters(general)
        let back = try machine.vcpu.registers()
        #expect((back.rax, back.r15, back.rflags) == (0x1122_3344_5566_7788, .max, 0x202))
        var special = try machine.vcpu.specialRegisters()
        special.cr2 = 0xdead_beef
        try machine.vcpu.setSpecialRegisters(special)
        #expect(try machine.vcpu.specialRegisters().cr2 == 0xdead_beef)
        #expect(try machine.vcpu.floatingPoint().fcw == 0x37f)
        #expect(try machine.vcpu.tscKilohertz() > 0)
    }

    @Test func modelSpecificRegisters() throws {
        let machine = try RealModeMachine([0xf4])
        try machine.vcpu.setMSR(0x174, 0x33)  // IA32_SYSENTER_CS
        #expect(try machine.vcpu.msr(0x174) == 0x33)
        #expect(throws: KVMError("KVM_GET_MSRS", errno: EINVAL)) { _ = try machine.vcpu.msr(0x1234_5678) }
        #expect(throws: KVMError("KVM_SET_MSRS", errno: EINVAL)) { try machine.vcpu.setMSR(0x1234_5678, 1) }
    }
}
