// Whose hypervisor a kernel finds: CPUID's leaves, and VMware's backdoor with registers of any content.
//
// Read next: Sources/VMM/Identity/Identity.swift.

import KVM
import Testing

@testable import VMM

private func leaf(_ number: UInt32, _ eax: UInt32 = 0, _ ebx: UInt32 = 0, _ ecx: UInt32 = 0, _ edx: UInt32 = 0)
    -> CPUIDLeaf
{
    CPUIDLeaf(leaf: number, subleaf: nil, eax: eax, ebx: ebx, ecx: ecx, edx: edx)
}

@Suite struct IdentityTests {
    private let supported = [leaf(0, 0x1f), leaf(1), leaf(0x4000_0000, 0x4000_0001, 1, 2, 3), leaf(0x4000_0001, 7)]

    private func backdoor(memory: UInt64 = 64 << 20, frequency: UInt64 = 2_500_000_000) -> VMwareBackdoor {
        VMwareBackdoor(
            MachineFacts(
                MachineClock(frequency: frequency, hostStart: 0, guestStart: 0), memorySize: memory,
                random: (.max, .max)))
    }

    /// Ones in all registers but these.
    private func call(_ command: UInt64, magic: UInt64 = 0x564d_5868, of backdoor: VMwareBackdoor) -> Registers? {
        var registers = Registers()
        (registers.rax, registers.rbx, registers.rcx) = (magic, .max, command)
        (registers.rdx, registers.rsi) = (0x5658, .max)
        return backdoor.call(&registers) ? registers : nil
    }

    @Test func kvmKeepsItsOwnLeaves() {
        let leaves = Identity.kvm.leaves(supported, frequency: 2_000_000_000)
        #expect(leaves.contains(leaf(0x4000_0000, 0x4000_0010, 1, 2, 3)) && leaves.contains(leaf(0x4000_0001, 7)))
        #expect(leaves.contains(leaf(0x4000_0010, 2_000_000, 1_000_000)))
    }

    @Test func othersHaveNoneOfThem() {
        #expect(Identity.none.leaves(supported, frequency: 1) == [leaf(0, 0x1f), leaf(1)])
        let vmware = Identity.vmware.leaves(supported, frequency: 2_000_000_000)
        #expect(
            vmware == [
                leaf(0, 0x1f), leaf(1), leaf(0x4000_0000, 0x4000_0010, 0x6177_4d56, 0x4d56_6572, 0x6572_6177),
                leaf(0x4000_0010, 2_000_000, 1_000_000),
            ])
    }

    @Test func onlyNoneHidesThatThereIsAHypervisor() {
        for identity in Identity.allCases {
            let leaves = KernelCPUID.withHypervisor([leaf(0, 1), leaf(1, 0, 0, .max)], identity, hasInterrupts: false)
            let cpuid = KernelCPUID(leaves, cpus: 1, identity: identity)
            let features = cpuid.table(cpu: 0).leaves.first { $0.leaf == 1 }?.ecx
            #expect(features.map { $0 >> 31 } == (identity == .none ? 0 : 1))
            #expect(cpuid.hidesKVM == (identity != .kvm))
        }
    }

    @Test func theBackdoorAnswersByItsMagicNumberOnly() throws {
        for magic: UInt64 in [0, 0x564d_5869, .max] { #expect(call(10, magic: magic, of: backdoor()) == nil) }
        // The upper half of a register is no part of it.
        let version = try #require(call(0xabcd_0000_0000_000a, magic: 0xffff_ffff_564d_5868, of: backdoor()))
        #expect(version.rax == 6 && version.rbx == 0x564d_5868 && version.rcx == 2 && version.rdx == 0x5658)
    }

    @Test func numbersThatDoNotFitAreTheLargest() throws {
        let small = try #require(call(20, of: backdoor()))
        #expect(small.rax == 64)
        let huge = try #require(call(20, of: backdoor(memory: .max)))
        #expect(huge.rax == 0xffff_ffff)
        let rates = try #require(call(45, of: backdoor(frequency: 0x1_2345_6789)))
        #expect(rates.rax == 0x2345_6789 && rates.rbx == 1 && rates.rcx == 1_000_000_000)
    }

    @Test func theUUIDIsOne() throws {
        let uuid = try #require(call(19, of: backdoor()))
        #expect(uuid.rax == 0xffff_ffff && uuid.rbx == 0xff4f_ffff && uuid.rcx == 0xffff_ffbf)
        #expect(uuid.rdx == 0xffff_ffff)
    }

    @Test func theTimeOfDayIsToldInTwoWays() throws {
        let short = try #require(call(23, of: backdoor()))
        let full = try #require(call(46, of: backdoor()))
        #expect(short.rax > 1_704_067_200 && short.rbx < 1_000_000 && short.rcx == 1_000_000)
        #expect(full.rax == 0x564d_5868 && full.rsi == 0 && full.rdx >= short.rax && full.rdx - short.rax < 60)
    }

    @Test func everyOtherCommandIsOnesAndChangesNothingElse() throws {
        let known: Set<UInt64> = [10, 19, 20, 23, 45, 46, 68]
        for command in UInt64(0)...0xffff where !known.contains(command) {
            let answer = try #require(call(command, of: backdoor()))
            guard answer.rax == 0xffff_ffff, answer.rbx == .max, answer.rcx == command, answer.rsi == .max else {
                Issue.record("command \(command)")
                return
            }
        }
        #expect(call(68, of: backdoor())?.rax == 8)
    }
}
