// Crash headlines: what happened, in words, for every cause and every page fault there is.
//
// Read next: GuestViewTests.swift.

import Boot
import KVM
import Testing
import X86

@testable import VMM

/// A crash without a guest.
private func headline(
    _ cause: Crash.Cause, code: UInt64? = nil, cr2: UInt64 = 0, rsp: UInt64 = 0, bytes: [UInt8] = []
) throws -> String {
    var registers = GuestRegisters()
    registers.cr2 = cr2
    registers.general.rsp = rsp
    let layout = try Layout(memorySize: 1 << 20, image: 0x4_0000..<0x4_1000, moduleSize: 0)
    return Crash(cause: cause, registers: registers, errorCode: code, registersAreLost: false, code: bytes)
        .headline(layout)
}

@Suite struct CrashReportTests {
    private static let causes: [(Crash.Cause, String)] = [
        (.exception(vector: 0), "divide error (#DE, vector 0): division by zero, or a quotient too large"),
        (.exception(vector: 17), "alignment check (#AC, vector 17)"),
        (.exception(vector: 9), "reserved exception (vector 9)"), (.exception(vector: 200), "interrupt (vector 200)"),
        (.forgedException(vector: 3), "jump into the machine's stub for vector 3: no exception happened"),
        (.port(0x3f8, size: 1, written: 0x41), "write of 0x41 to port 0x3f8, 1 byte: nobody owns this port"),
        (.port(0x60, size: 2, written: nil), "read of port 0x60, 2 bytes: nobody owns this port"),
        (
            .memory(0x1008, size: 8, written: 1),
            "write of guest-physical 0x1008: the machine's own tables are read-only"
        ),
        (.memory(0xc000_0000, size: 1, written: nil), "read of 1 byte at guest-physical 0xc0000000: no memory there"),
        (.misuse("exit: status 256"), "misused call: exit: status 256"),
        (
            .emulation(suberror: 1),
            "KVM could not emulate the instruction at rip 0x0: not mapped (internal error, suberror 1)"
        ),
        (
            .emulation(suberror: 3),
            "KVM could not emulate the instruction at rip 0x0: not mapped (internal error, suberror 3)"
        ),
        (
            .noFirmware(vector: 0x10),
            "interrupt 0x10 in real mode, and there is no BIOS to take it: set its vector, "
                + "or print to the serial port at 0x3f8"
        ),
        (.invalidState(reason: 0x8000_0021), "the CPU refused the guest's state (reason 0x80000021)"),
        (.unexpectedExit("halt"), "unexpected exit: halt"),
    ]

    private static let advice: [([UInt8], Int, String, String)] = [
        (
            [0x66, 0x0f, 0xef, 0xc0, 0x31, 0xc0], 64, "pxor xmm0, xmm0 (66 0f ef c0; internal error, suberror 1)",
            "SSE2 is not emulated: build the kernel with -mgeneral-regs-only, or run it on"
        ),
        (
            [0xf3, 0x0f, 0xb8, 0xc1], 64, "popcnt eax, ecx (f3 0f b8 c1; ",
            "build the kernel with -mno-popcnt, or hide it, by CPUID bit popcnt (--cpu; Linux: clearcpuid=popcnt), or"
        ),
        ([0xcd, 0x80], 32, "int 0x80 (cd 80; ", "software interrupts are not emulated"),
        ([0xcf], 32, "iretd (cf; ", "use a 64-bit kernel"),
        ([0xcf], 64, "iretd (cf; ", "it is not emulated: run it on"),
        ([0x06], 64, "06 (internal error", "it is not emulated: run it on"),
    ]

    @Test(arguments: advice.indices)
    func whatCouldNotBeEmulatedIsNamedAndHowToDoWithoutIt(index: Int) {
        let (code, bits, words, advice) = Self.advice[index]
        var registers = GuestRegisters()
        registers.codeBits = bits
        let crash = Crash(
            cause: .emulation(suberror: 1), registers: registers, errorCode: nil, registersAreLost: false, code: code)
        #expect(crash.emulationHeadline(1).contains(words), "\(crash.emulationHeadline(1))")
        #expect(
            crash.emulationAdvice.count == 1 && crash.emulationAdvice[0].contains(advice), "\(crash.emulationAdvice)")
    }

    @Test(arguments: causes.indices)
    func causeInWords(index: Int) throws {
        let (cause, words) = Self.causes[index]
        #expect(try headline(cause) == words)
    }

    @Test func tripleFaultIsExplained() throws {
        #expect(try headline(.tripleFault).hasPrefix("triple fault: "))
    }

    /// Error code bits: 1 present, 2 write, 8 reserved, 16 fetch (Intel SDM vol. 3A, figure 4-12).
    private static let faults: [(code: UInt64, address: UInt64, words: String)] = [
        (4, 0, "read of 0x0, which is not mapped (a null pointer)"),
        (6, 0xfff, "write to 0xfff, which is not mapped (a null pointer)"),
        (6, 0x1000, "write to 0x1000, which is not mapped (the machine's own tables)"),
        (7, 0x4_0000, "write to 0x40000, which is mapped read-only"),
        (5, 0x2000, "read of 0x2000, which is the machine's (the machine's own tables)"),
        (0x15, 0x5_0000, "execution of 0x50000, which is mapped no-execute"),
        (0x14, 0x8_0000_0000, "execution of 0x800000000, which is not mapped"),
        (0xd, 0x5_0000, "read of 0x50000, whose page-table entry has reserved bits set"),
        (6, 0x4_1ff8, "write to 0x41ff8, which is not mapped (stack overflow: the guard page under the stack)"),
    ]

    @Test(arguments: faults.indices)
    func pageFaultInWords(index: Int) throws {
        let fault = Self.faults[index]
        let words = try headline(.exception(vector: 14), code: fault.code, cr2: fault.address)
        #expect(words == "page fault (#PF, vector 14): \(fault.words)")
    }

    @Test func everyErrorCodeHasWords() throws {
        for code in 0..<64 as Range<UInt64> {
            #expect(try headline(.exception(vector: 14), code: code, cr2: .max).contains("0xffffffffffffffff, wh"))
        }
    }

    @Test func doubleFaultLooksAtTheStack() throws {
        let fault = Crash.Cause.exception(vector: 8)
        #expect(try headline(fault, code: 0, rsp: 0x4_1000).contains("stack overflow"))
        #expect(try headline(fault, code: 0, cr2: 0x4_1fff).contains("stack overflow"))
        #expect(try !headline(fault, code: 0, cr2: 0x4_2000, rsp: 0x4_0fff).contains("stack overflow"))
    }

    /// The instruction's bytes say what a kernel was tempted to do, and what to do instead.
    private static let instructions: [([UInt8], String)] = [
        ([0xf4], "hlt: "), ([0xfa], "cli: "), ([0xfb], "sti: "), ([0x0f, 0x0b], "ud2: "), ([0x0f, 0x05], "syscall: "),
        ([0x0f, 0x22, 0xd8], "mov of a control register: "), ([0x0f, 0x30], "wrmsr: "), ([0x0f, 0x32], "rdmsr: "),
        ([0x0f, 0x01, 0x3f], "invlpg: "), ([0x0f, 0x01, 0x1f], "lgdt or lidt: "), ([0x0f, 0x01, 0xf8], "swapgs: "),
        ([0x0f, 0x01, 0xc1], "vmcall or vmmcall: "), ([0x48, 0x0f, 0x21, 0xc0], "mov of a debug register: "),
        ([0x48, 0xcf], "iretq: "), ([0xcd, 0x80], "int n: "),
    ]

    @Test(arguments: instructions.indices)
    func temptingInstructionIsNamed(index: Int) throws {
        let (bytes, words) = Self.instructions[index]
        #expect(try headline(.exception(vector: 13), bytes: bytes).contains(words))
        #expect(try headline(.exception(vector: 6), bytes: bytes).contains(words))
    }

    @Test func everyInstructionHasAHeadline() throws {
        for first in 0...255 as ClosedRange<UInt8> {
            for bytes in [[first], [0x0f, first], [0x0f, 0x01, first], [0x66, 0x48, first]] as [[UInt8]] {
                #expect(try headline(.exception(vector: 13), bytes: bytes).hasPrefix("general protection (#GP"))
            }
        }
        #expect(try headline(.exception(vector: 6), bytes: []).contains("an instruction"))
    }
}
