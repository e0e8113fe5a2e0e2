// Hyper-V's interface, without a vCPU: leaves, every MSR with values of any kind, and hypercalls.
//
// Read next: Sources/VMM/Identity/HyperV.swift.

import GuestMemory
import KVM
import Testing

@testable import VMM

@Suite final class HyperVTests {
    private let memory: GuestMemory
    private var hyperv: HyperV

    init() throws {
        memory = try GuestMemory(low: 0..<0x10_0000)
        let clock = MachineClock(frequency: 2_500_000_000, hostStart: 0, guestStart: 5_000)
        hyperv = HyperV(MachineFacts(clock, cpus: 2, memorySize: 0x10_0000, random: (0, 0)))
    }

    private typealias Register = HyperV.Register

    private func read(_ register: Register, cpu: Int = 0) -> RegisterAnswer { hyperv.read(register.rawValue, cpu: cpu) }
    private func write(_ register: Register, _ value: UInt64, cpu: Int = 0) -> RegisterAnswer {
        hyperv.write(register.rawValue, value, cpu: cpu, memory)
    }

    private func long(_ address: UInt64) -> UInt64? { memory.read(GuestAddress(address)) }

    @Test func leavesSayWhatIsThere() {
        let leaves = Identity.hyperv.leaves([], frequency: 2_500_000_000, cpus: 3)
        #expect(leaves.map(\.leaf) == Array(0x4000_0000...0x4000_0006))
        #expect(leaves[0].eax == 0x4000_0006 && leaves[0].ebx == 0x7263_694d && leaves[0].edx == 0x7648_2074)
        #expect(leaves[3].eax == 0xae2 && leaves[3].edx == 0x100 && leaves[5].eax == 3)
        #expect(Identity.hyperv.registers == 0x4000_0000...0x4000_01ff && Identity.vmware.registers == nil)
    }

    @Test func whatIsNoRegisterIsRefused() {
        let known: Set<UInt32> = [0, 1, 2, 3, 0x20, 0x21, 0x22, 0x23, 0x73]
        for offset: UInt32 in 0...0x1ff where !known.contains(offset) {
            #expect(hyperv.read(0x4000_0000 + offset, cpu: 0) == .refused)
            #expect(hyperv.write(0x4000_0000 + offset, 1, cpu: 0, memory) == .refused)
        }
        for register: Register in [.vpIndex, .timeReference, .tscFrequency, .apicFrequency] {
            #expect(write(register, 1) == .refused)
        }
    }

    @Test func processorsHaveNumbersAndPagesOfTheirOwn() {
        #expect(read(.vpIndex, cpu: 1) == .value(1))
        #expect(write(.vpAssist, 0x5001, cpu: 1) == .written)
        #expect(read(.vpAssist, cpu: 1) == .value(0x5001) && read(.vpAssist) == .value(0))
    }

    /// OUT to the port, RET, and breakpoints.
    @Test func aPageOfCodeIsForWhoHasSaidItsName() {
        #expect(write(.hypercall, 0x8001) == .written && read(.hypercall) == .value(0x8000))
        #expect(memory.read(GuestAddress(0x8000), as: UInt32.self) == 0)
        #expect(write(.guestOS, 7) == .written && write(.hypercall, 0x8001) == .written)
        #expect(memory.read(GuestAddress(0x8000), as: UInt32.self) == 0xccc3_9fe7)
        #expect(memory.read(GuestAddress(0x8ffc), as: UInt32.self) == 0xcccc_cccc)
        #expect(memory.read(GuestAddress(0x9000), as: UInt32.self) == 0)
        #expect(write(.guestOS, 0) == .written && read(.hypercall) == .value(0x8000))
        #expect(write(.guestOS, 7) == .written && write(.hypercall, 0x8003) == .written)
        #expect(write(.hypercall, 0) == .written && read(.hypercall) == .value(0x8003), "locked")
    }

    @Test(arguments: [0x10_0001, 0xffff_f001, 1 << 40 | 1, .max & ~2] as [UInt64])
    func pagesOutsideOfMemoryAreRefused(value: UInt64) {
        _ = write(.guestOS, 1)
        #expect(write(.hypercall, value) == .refused && read(.hypercall) == .value(0))
        #expect(write(.referenceTSC, value) == .refused && read(.referenceTSC) == .value(0))
        // Without the bit they are numbers.
        #expect(write(.referenceTSC, value & ~1) == .written)
    }

    /// 2.5 GHz: 250 cycles are a unit of 100 ns.
    @Test func thePageTellsTheTimeOfTheCounter() throws {
        #expect(write(.referenceTSC, 0x3001) == .written)
        let scale = try #require(long(0x3008))
        let offset = try #require(long(0x3010))
        #expect(memory.read(GuestAddress(0x3000), as: UInt32.self) == 1)
        func time(_ tsc: UInt64) -> UInt64 { tsc.multipliedFullWidth(by: scale).high &+ offset }
        // The guest's clock began at 5,000.
        #expect(time(5_000) <= 1 && time(5_000 + 250_000) - time(5_000) == 1000)
        #expect(read(.tscFrequency) == .value(2_500_000_000) && read(.apicFrequency) == .value(1_000_000_000))
    }

    @Test func aSlowClockIsNoDivisionByZero() {
        for frequency: UInt64 in [0, 1, 10_000_000] {
            let time = ReferenceTime(MachineClock(frequency: frequency, hostStart: 0, guestStart: 0))
            #expect(time.page.count == 4096)
        }
    }

    @Test func aResetEndsTheMachine() {
        #expect(write(.reset, 1) == .reset && write(.reset, 2) == .written && read(.reset) == .value(0))
    }

    @Test func callsAreAnsweredInBothModes() {
        func call(_ input: UInt64, _ parameter: UInt64 = 0) -> (long: UInt64, short: UInt64) {
            var long = Registers()
            (long.rcx, long.rdx) = (input, parameter)
            hyperv.call(&long, isLong: true)
            var short = Registers()
            (short.rdx, short.rax) = (input >> 32, input & 0xffff_ffff)
            (short.rbx, short.rcx) = (parameter >> 32, parameter & 0xffff_ffff)
            hyperv.call(&short, isLong: false)
            return (long.rax, short.rdx << 32 | short.rax)
        }
        #expect(call(8) == (0, 0) && call(0x1_0008, 3) == (0, 0))
        #expect(call(8, 4) == (4, 4), "an address that is not aligned")
        for bit: UInt64 in [17, 26, 27, 32, 63] { #expect(call(8 | 1 << bit) == (3, 3), "\(bit)") }
        for code: UInt64 in 0...0xffff where code != 8 {
            guard call(code) == (2, 2) else {
                Issue.record("call \(code)")
                return
            }
        }
    }
}
