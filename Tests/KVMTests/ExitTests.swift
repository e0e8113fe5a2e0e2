// Exits are decoded from a page that KVM fills in: here the test does, in a file that stands for the vCPU.
//
// So every exit reason is decoded, also those that no guest here can cause, and /dev/kvm is not needed.
// Read next: VCPUTests.swift.

import CKVM
import Glibc
import TestSupport
import Testing

@testable import KVM

/// A vCPU whose shared page is an ordinary file. A class, because #expect copies what it looks at.
private final class PaperVCPU {
    let vcpu: VCPU

    init() throws {
        let file = AnonymousFile([UInt8](repeating: 0, count: 3 * 4096))
        vcpu = try VCPU(fd: dup(file.fd), mappingSize: 3 * 4096)
    }

    var run: UnsafeMutablePointer<kvm_run> { vcpu.shared }

    func exit(_ reason: UInt32) -> Exit {
        run.pointee.exit_reason = reason
        return vcpu.exit
    }

    /// A port exit whose data lies where a KVM puts it: on the second page.
    func port(_ direction: UInt8, size: UInt8, count: UInt32, data: [UInt8] = []) -> Exit {
        run.pointee.io.direction = direction
        run.pointee.io.size = size
        run.pointee.io.port = 0x520
        run.pointee.io.count = count
        run.pointee.io.data_offset = 4096
        UnsafeMutableRawPointer(run).advanced(by: 4096).copyMemory(from: data, byteCount: data.count)
        return exit(CKVM_EXIT_IO)
    }

    /// A memory exit with these eight bytes.
    func memory(_ isWrite: UInt8, size: UInt32, data: UInt64) -> Exit {
        run.pointee.mmio.phys_addr = 0xfee0_0000
        run.pointee.mmio.is_write = isWrite
        run.pointee.mmio.len = size
        withUnsafeMutableBytes(of: &run.pointee.mmio.data) { $0.storeBytes(of: data, as: UInt64.self) }
        return exit(CKVM_EXIT_MMIO)
    }
}

@Suite struct ExitTests {
    private let paper = try? PaperVCPU()

    @Test(arguments: [(1, 0x88), (2, 0x8877), (4, 0x8877_6655)] as [(UInt8, UInt32)])
    func portWriteTakesAsMuchAsWasWritten(size: UInt8, value: UInt32) throws {
        let paper = try #require(paper)
        let data = (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } + [0xff, 0xff]
        let exit = paper.port(CKVM_EXIT_IO_OUT, size: size, count: 1, data: data)
        #expect(exit == .portWrite(port: 0x520, size: size, count: 1, value: value))
    }

    @Test func portReadIsAnsweredItemByItem() throws {
        let paper = try #require(paper)
        #expect(paper.port(CKVM_EXIT_IO_IN, size: 2, count: 3) == .portRead(port: 0x520, size: 2, count: 3))
        paper.vcpu.answerPortRead(0xdead_beef)
        let answer = UnsafeRawBufferPointer(start: UnsafeRawPointer(paper.run) + 4096, count: 8)
        #expect(Array(answer) == [0xef, 0xbe, 0xef, 0xbe, 0xef, 0xbe, 0, 0])
    }

    @Test(arguments: [1, 2, 4, 8] as [UInt32])
    func memoryWriteTakesAsMuchAsWasWritten(size: UInt32) throws {
        let paper = try #require(paper)
        let value = 0x1122_3344_5566_7788 & (UInt64.max >> (64 - 8 * UInt64(size)))
        let exit = paper.memory(1, size: size, data: 0x1122_3344_5566_7788)
        #expect(exit == .mmioWrite(address: 0xfee0_0000, size: size, value: value))
        #expect(paper.memory(0, size: size, data: 0) == .mmioRead(address: 0xfee0_0000, size: size))
    }

    @Test func everyOtherReason() throws {
        let paper = try #require(paper)
        #expect(paper.exit(CKVM_EXIT_HLT) == .halt)
        #expect(paper.exit(CKVM_EXIT_SHUTDOWN) == .shutdown)
        #expect(paper.exit(CKVM_EXIT_INTR) == .interrupted)
        #expect(paper.exit(CKVM_EXIT_DEBUG) == .debug)
        paper.run.pointee.`internal`.suberror = 3
        #expect(paper.exit(CKVM_EXIT_INTERNAL_ERROR) == .internalError(suberror: 3))
        paper.run.pointee.fail_entry.hardware_entry_failure_reason = 0x8000_0021
        #expect(paper.exit(CKVM_EXIT_FAIL_ENTRY) == .failEntry(reason: 0x8000_0021))
        #expect(paper.exit(UInt32(KVM_EXIT_UNKNOWN)) == .other(0))
        #expect(paper.exit(.max) == .other(.max))
    }

    @Test func modelSpecificRegisters() throws {
        let paper = try #require(paper)
        paper.run.pointee.msr.index = 0x1a0
        paper.run.pointee.msr.data = 0x1234_5678_9abc_def0
        paper.run.pointee.msr.error = 1
        #expect(paper.exit(CKVM_EXIT_X86_WRMSR) == .msrWrite(index: 0x1a0, value: 0x1234_5678_9abc_def0))
        #expect(paper.exit(CKVM_EXIT_X86_RDMSR) == .msrRead(index: 0x1a0))
        paper.vcpu.answerMSR(42)
        #expect((paper.run.pointee.msr.data, paper.run.pointee.msr.error) == (42, 0))
    }

    /// The ring has 170 places and lies in the mapping's third page; a ring outside of the mapping is none.
    @Test(arguments: [(0, 0, 0), (0, 169, 169), (160, 4, 14), (7, 6, 169)] as [(UInt32, UInt32, Int)])
    func coalescedWritesAreTaken(first: UInt32, last: UInt32, count: Int) throws {
        let paper = try #require(paper)
        let ring = UnsafeMutableRawPointer(paper.run).advanced(by: 2 * 4096).assumingMemoryBound(to: UInt32.self)
        (ring[0], ring[1]) = (first, last)
        #expect(paper.vcpu.takeCoalesced(ring: 3) == 0)
        #expect(paper.vcpu.takeCoalesced(ring: 0) == 0)
        #expect(paper.vcpu.takeCoalesced(ring: 2) == count)
        #expect((ring[0], ring[1]) == (last, last))
        #expect(paper.vcpu.takeCoalesced(ring: 2) == 0)
    }

    @Test func coalescedBytesAreTakenInTheirOrder() throws {
        let paper = try #require(paper)
        let ring = UnsafeMutableRawPointer(paper.run).advanced(by: 2 * 4096)
        let (indices, port) = (ring.assumingMemoryBound(to: UInt32.self), CoalescedPort(vm: -1, port: 0x3f8, ring: 2))
        (indices[0], indices[1]) = (169, 1)
        // Each of 24 bytes behind the two indices, with its data behind address, length and kind.
        for (place, byte) in [(169, 0x41), (0, 0x42)] as [(Int, UInt8)] {
            ring.storeBytes(of: byte, toByteOffset: 24 + 24 * place, as: UInt8.self)
        }
        #expect(paper.vcpu.takeByte(of: port) == 0x41 && indices[0] == 0)
        #expect(paper.vcpu.takeByte(of: port) == 0x42 && indices[0] == 1)
        #expect(paper.vcpu.takeByte(of: port) == nil)
        indices[0] = .max  // nobody but KVM writes there, but nothing reads outside
        _ = paper.vcpu.takeByte(of: port)
    }

    @Test func kickByteIsImmediateExit() throws {
        let paper = try #require(paper)
        #expect(paper.vcpu.immediateExit == false)
        UnsafeMutablePointer<UInt8>(bitPattern: paper.vcpu.kickByteAddress)?.pointee = 1
        #expect(paper.vcpu.immediateExit == true)
        paper.vcpu.immediateExit = false
        #expect(paper.run.pointee.immediate_exit == 0)
    }

    @Test func fileThatIsNoVCPURunsNothing() throws {
        let paper = try #require(paper)
        #expect(paper.vcpu.run() == ENOTTY)
        #expect(throws: KVMError("KVM_GET_REGS", errno: ENOTTY)) { _ = try paper.vcpu.registers() }
    }

    @Test func mappingThatFailsIsAnError() {
        #expect(throws: KVMError("mmap of kvm_run", errno: EBADF)) { _ = try VCPU(fd: -1, mappingSize: 4096) }
    }
}

@Suite struct CPUIDTests {
    private func leaf(_ number: UInt32, _ subleaf: UInt32? = nil) -> CPUIDLeaf {
        CPUIDLeaf(leaf: number, subleaf: subleaf, eax: number &+ 1, ebx: 2, ecx: 3, edx: .max)
    }

    @Test func leavesComeBackAsTheyWere() {
        var cpuid = CPUID()
        #expect(cpuid.leaves.isEmpty)
        let leaves = [leaf(0), leaf(7, 0), leaf(0xd, 1), leaf(0x8000_0001)]
        for leaf in leaves { cpuid.append(leaf) }
        #expect(cpuid.leaves == leaves)
        let flags = cpuid.withTable { table in
            var table = table.pointee
            return (0..<4).map { ckvm_cpuid_entries(&table)[$0].flags }
        }
        #expect(flags == [0, 1, 1, 0], "KVM_CPUID_FLAG_SIGNIFCANT_INDEX where there is a subleaf")
    }

    @Test func moreThanAHundredAreLeftOut() {
        var cpuid = CPUID()
        for number in 0..<200 { cpuid.append(leaf(UInt32(number))) }
        #expect(cpuid.leaves.count == 100)
        #expect(cpuid.leaves.last == leaf(99))
    }
}
