// /dev/kvm and a VM: what opens, what is refused, and with which errno.
//
// Read next: VCPUTests.swift.

import CKVM
import Glibc
import TestSupport
import Testing

@testable import KVM

@Suite struct KVMErrorTests {
    private func openError(_ path: String) -> KVMError? {
        do throws(KVMError) { _ = try KVM(path: path) } catch { return error }
        return nil
    }

    @Test func whatIsNoKVMIsRefused() {
        #expect(openError("/dev/there-is-no-such-device") == KVMError("open", errno: ENOENT))
        #expect(openError("/") == KVMError("open", errno: EISDIR))
        #expect(openError("/dev/null") == KVMError("KVM_GET_API_VERSION", errno: ENOTTY))
    }

    @Test func errorsAreEqualByRequestAndNumber() {
        #expect(KVMError("KVM_RUN", errno: EINTR) == KVMError("KVM_RUN", errno: EINTR))
        #expect(KVMError("KVM_RUN", errno: EINTR) != KVMError("KVM_RUN", errno: EFAULT))
        #expect(KVMError("KVM_RUN", errno: EINTR) != KVMError("KVM_CREATE_VM", errno: EINTR))
    }

    @Test func shimsResultIsTheNumberOrTheError() throws {
        #expect(try check(0, "KVM_RUN") == 0)
        #expect(try check(12, "KVM_GET_API_VERSION") == 12)
        #expect(throws: KVMError("KVM_RUN", errno: EFAULT)) { _ = try check(Int(-EFAULT), "KVM_RUN") }
    }
}

@Suite(.requiresKVM) struct KVMTests {
    @Test func hostAnswers() throws {
        let kvm = try KVM()
        #expect(kvm.capability(KVM_CAP_USER_MEMORY) == 1)
        #expect(kvm.capability(.userMemory) == 1)
        #expect(kvm.capability(Int32.max) == 0)
        #expect(try kvm.vcpuMappingSize() >= 4096 + MemoryLayout<kvm_run>.size)
        #expect(fcntl(kvm.fd, F_GETFD) & FD_CLOEXEC != 0)
        let leaves = try kvm.supportedCPUID().leaves
        #expect(leaves.contains { $0.leaf == 1 && $0.edx & 1 << 26 != 0 }, "SSE2")
    }

    @Test func slotsAreChecked() throws {
        let vm = try KVM().makeVM()
        let memory = mmap(nil, 0x2_0000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        defer { munmap(memory, 0x2_0000) }
        let host = UInt(bitPattern: memory)
        let slot = MemorySlot(index: 0, guestAddress: 0x1000, size: 0x1_0000, hostAddress: host)
        try vm.set(slot)
        func refusal(_ change: (inout MemorySlot) -> Void) -> Int32? {
            var wrong = slot
            wrong.index = 1
            wrong.guestAddress = 0x10_0000
            change(&wrong)
            do throws(KVMError) { try vm.set(wrong) } catch { return error.errno }
            return nil
        }
        #expect(refusal { $0.guestAddress = 0x2000 } == EEXIST, "overlaps slot 0")
        #expect(refusal { $0.guestAddress = 0x10_0800 } == EINVAL, "not page-aligned")
        #expect(refusal { $0.size = 0x800 } == EINVAL)
        #expect(refusal { $0.hostAddress = host + 0x800 } == EINVAL)
        #expect(refusal { $0.guestAddress = .max - 0xfff } == EINVAL, "wraps around")
        #expect(refusal { $0.index = 1 << 20 } == EINVAL)
        #expect(refusal { $0.size = 0 } != nil, "there is no such slot to delete")
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.size = 0 } == nil, "deleted")
        #expect(refusal { $0.flags = [.logDirtyPages] } == nil)
    }

    @Test func vCPUsHaveTheirNumbers() throws {
        let kvm = try KVM()
        let vm = try kvm.makeVM()
        let size = try kvm.vcpuMappingSize()
        #expect(vm.capability(KVM_CAP_USER_MEMORY) == 1)
        try vm.enableSplitIRQChip()
        let first = try vm.makeVCPU(mappingSize: size)
        #expect(first.fd >= 0)
        #expect(throws: KVMError("KVM_CREATE_VCPU", errno: EEXIST)) { _ = try vm.makeVCPU(id: 0, mappingSize: size) }
        #expect(throws: KVMError("KVM_CREATE_VCPU", errno: EINVAL)) {
            _ = try vm.makeVCPU(id: 1 << 30, mappingSize: size)
        }
        _ = try vm.makeVCPU(id: 1, mappingSize: size)
        #expect(throws: KVMError("KVM_CAP_SPLIT_IRQCHIP", errno: EEXIST)) { try vm.enableSplitIRQChip() }
    }

    @Test func countersHaveNames() throws {
        let machine = try RealModeMachine([0xf4])
        #expect(machine.next() == .halt)
        let statistics = try machine.vcpu.openStatistics().read()
        #expect(statistics?.values["exits"] ?? 0 > 0)
    }
}

@Suite struct KernelStatisticsTests {
    /// One counter, "exits" = 7: header of 24 bytes, a descriptor at 24, data behind it (KVM API, section 4.133).
    private static let good: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 24 + 24 + 8)
        (bytes[4], bytes[8], bytes[16], bytes[20]) = (8, 1, 24, 48)
        bytes.replaceSubrange(40..<45, with: Array("exits".utf8))
        bytes[48] = 7
        return bytes
    }()

    @Test func counterIsReadByName() {
        #expect(KernelStatistics(bytes: Self.good)?.values == ["exits": 7])
    }

    @Test func whatIsCutOffIsNoAnswer() {
        for size in 0..<Self.good.count { #expect(KernelStatistics(bytes: Array(Self.good[..<size])) == nil) }
    }

    @Test(arguments: [4, 8, 16, 20, 32])
    func offsetsThatLeadAwayAreNoAnswer(field: Int) {
        var bytes = Self.good
        for index in field..<field + 4 { bytes[index] = 0xff }
        #expect(KernelStatistics(bytes: bytes) == nil)
    }
}
