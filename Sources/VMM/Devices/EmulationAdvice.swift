// What to say about an instruction that KVM could not emulate: what it is, and how to do without it. Leave it out when the kernel
// is built, hide it from the kernel, or run the kernel where the CPU executes ring 0 itself.
//
// On VT-x and SVM hardly anything is emulated, so that this is about hosts which emulate all of ring 0.
// Read next: KernelOptions.swift.

import Disassembly
import KVM

extension Crash {
    var instruction: DisassembledInstruction? {
        DisassembledInstruction(code, at: registers.codeBase &+ registers.rip, bits: registers.codeBits)
    }

    /// Behind the bytes at RIP: "  pxor xmm0, xmm0".
    var instructionText: String { instruction.map { "  \($0.text)" } ?? "" }

    func emulationHeadline(_ suberror: UInt32) -> String {
        let what = instruction.map { "\($0.text) (\(bytesText($0.size)); " } ?? "\(codeText) ("
        return "KVM could not emulate the instruction at rip \(hex(registers.rip)): \(what)internal error, "
            + "suberror \(suberror))"
    }

    /// A line of the report, or none.
    var emulationAdvice: [String] {
        guard case .emulation = cause, !code.isEmpty else { return [] }
        return ["  " + (instruction?.advice(bits: registers.codeBits) ?? notEmulated)]
    }
}

/// KVM emulates hardly anything there.
private let elsewhere = "run it on a host with VT-x or SVM (lab/svm.sh is one anywhere)"
private let notEmulated = "it is not emulated: \(elsewhere)"

extension DisassembledInstruction {
    /// How a kernel does without it.
    func advice(bits: Int) -> String {
        if ["int", "int1", "int3", "into"].contains(name) {
            return "software interrupts are not emulated but in real mode: \(elsewhere)"
        }
        if bits == 32, name.hasPrefix("iret") {
            return "IRET of 32-bit mode is not emulated: use a 64-bit kernel, or \(elsewhere)"
        }
        guard let set = InstructionSet(self) else { return notEmulated }
        let ways = [
            set.option.map { "build the kernel with \($0)" },
            set.bit.map { "hide it, by CPUID bit \($0) (--cpu; Linux: clearcpuid=\($0))" }, elsewhere,
        ]
        return "\(set.name) is not emulated: " + ways.compactMap { $0 }.joined(separator: ", or ")
    }
}

extension SpecialRegisters {
    /// Of the code that runs: 16, 32 or 64.
    package var codeBits: Int { cs.l != 0 ? 64 : cs.db != 0 ? 32 : 16 }
}
