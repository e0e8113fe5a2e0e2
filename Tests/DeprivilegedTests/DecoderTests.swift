// Every privileged instruction is recognised with its operand and length, and nothing else is.
//
// The bytes are those that GNU as makes of the text beside them.

import Testing

@testable import Deprivileged

private func memory(
    base: UInt8? = nil, index: UInt8? = nil, scale: UInt8 = 0, _ displacement: Int64 = 0, relative: Bool = false,
    segment: SegmentRegister? = nil, short: Bool = false
) -> MemoryOperand {
    var operand = MemoryOperand()
    (operand.base, operand.index, operand.scale) = (base, index, scale)
    (operand.displacement, operand.isRelative) = (displacement, relative)
    (operand.segment, operand.isShort) = (segment, short)
    return operand
}

struct DecoderCase: Sendable, CustomTestStringConvertible {
    let text: String
    let bytes: [UInt8]
    let operation: Operation
    var testDescription: String { text }

    init(_ text: String, _ bytes: [UInt8], _ operation: Operation) {
        (self.text, self.bytes, self.operation) = (text, bytes, operation)
    }
}

private let cases: [DecoderCase] = [
    DecoderCase("lgdt (%rdi)", [0x0f, 0x01, 0x17], .loadTable(.gdt, memory(base: 7))),
    DecoderCase("lgdt 0x200010", [0x0f, 0x01, 0x14, 0x25, 0x10, 0, 0x20, 0], .loadTable(.gdt, memory(0x20_0010))),
    DecoderCase(
        "lidt -8(%rip)", [0x0f, 0x01, 0x1d, 0xf8, 0xff, 0xff, 0xff], .loadTable(.idt, memory(-8, relative: true))),
    DecoderCase(
        "lidt 16(%r13,%r12,8)", [0x43, 0x0f, 0x01, 0x5c, 0xe5, 0x10],
        .loadTable(.idt, memory(base: 13, index: 12, scale: 3, 16))),
    DecoderCase("sgdt (%rsp)", [0x0f, 0x01, 0x04, 0x24], .storeTable(.gdt, memory(base: 4))),
    DecoderCase(
        "sidt %fs:8(%eax)", [0x64, 0x67, 0x0f, 0x01, 0x48, 8],
        .storeTable(.idt, memory(base: 0, 8, segment: .fs, short: true))),
    DecoderCase("ltr %ax", [0x0f, 0x00, 0xd8], .loadTaskRegister(.register(0))),
    DecoderCase("ltr 2(%rbp)", [0x0f, 0x00, 0x5d, 2], .loadTaskRegister(.memory(memory(base: 5, 2)))),
    DecoderCase("str %r9d", [0x41, 0x0f, 0x00, 0xc9], .storeTaskRegister(.register(9), size: 4)),
    DecoderCase("sldt %ax", [0x66, 0x0f, 0x00, 0xc0], .storeLocalTable(.register(0), size: 2)),
    DecoderCase("lldt %cx", [0x0f, 0x00, 0xd1], .loadLocalTable(.register(1))),
    DecoderCase("smsw %rax", [0x48, 0x0f, 0x01, 0xe0], .storeStatusWord(.register(0), size: 8)),
    DecoderCase("lmsw %bx", [0x0f, 0x01, 0xf3], .loadStatusWord(.register(3))),
    DecoderCase("mov %cr2,%r8", [0x41, 0x0f, 0x20, 0xd0], .readControl(2, to: 8)),
    DecoderCase("mov %cr8,%rax", [0x44, 0x0f, 0x20, 0xc0], .readControl(8, to: 0)),
    DecoderCase("mov %rsi,%cr3", [0x0f, 0x22, 0xde], .writeControl(3, from: 6)),
    DecoderCase("mov %rax,%cr0 with another mode", [0x0f, 0x22, 0x00], .writeControl(0, from: 0)),
    DecoderCase("clts", [0x0f, 0x06], .clearTaskSwitched),
    DecoderCase("mov %dr6,%rdx", [0x0f, 0x21, 0xf2], .readDebug(6, to: 2)),
    DecoderCase("mov %rax,%dr7", [0x0f, 0x23, 0xf8], .writeDebug(7, from: 0)),
    DecoderCase("rdmsr", [0x0f, 0x32], .readMSR),
    DecoderCase("wrmsr", [0x0f, 0x30], .writeMSR),
    DecoderCase("xsetbv", [0x0f, 0x01, 0xd1], .writeXCR),
    DecoderCase("swapgs", [0x0f, 0x01, 0xf8], .swapGS),
    DecoderCase("mov %ax,%ss", [0x8e, 0xd0], .loadSegment(.ss, .register(0))),
    DecoderCase("mov (%r8),%ds", [0x41, 0x8e, 0x18], .loadSegment(.ds, .memory(memory(base: 8)))),
    DecoderCase("pop %fs", [0x0f, 0xa1], .popSegment(.fs, size: 8)),
    DecoderCase("popw %gs", [0x66, 0x0f, 0xa9], .popSegment(.gs, size: 2)),
    DecoderCase("iretq", [0x48, 0xcf], .interruptReturn),
    DecoderCase("lretq", [0x48, 0xcb], .farReturn(size: 8, dropping: 0)),
    DecoderCase("lret $8", [0xca, 8, 0], .farReturn(size: 4, dropping: 8)),
    DecoderCase("ljmp *(%rax)", [0xff, 0x28], .farJump(memory(base: 0), size: 4)),
    DecoderCase(
        "lcall *0x12345678(%rbx)", [0xff, 0x9b, 0x78, 0x56, 0x34, 0x12], .farCall(memory(base: 3, 0x1234_5678), size: 4)
    ),
    DecoderCase("out %eax,%dx", [0xef], .call),
    DecoderCase("out %ax,%dx", [0x66, 0xef], .portAccess),
    DecoderCase("in %dx,%eax", [0xed], .portAccess),
    DecoderCase("rep outsb", [0xf3, 0x6e], .portAccess),
    DecoderCase("hlt", [0xf4], .halt),
    DecoderCase("cli", [0xfa], .clearInterrupts),
    DecoderCase("sti", [0xfb], .setInterrupts),
    DecoderCase("int $0x80", [0xcd, 0x80], .softwareInterrupt(0x80)),
    DecoderCase("invlpg (%rax)", [0x0f, 0x01, 0x38], .flush),
    DecoderCase("wbinvd", [0x0f, 0x09], .flush),
    DecoderCase("invpcid (%rcx),%rax", [0x66, 0x0f, 0x38, 0x82, 0x01], .flush),
    DecoderCase(
        "a REX that another prefix follows", [0x48, 0x66, 0x0f, 0x00, 0xc8], .storeTaskRegister(.register(0), size: 2)),
]

@Suite("Privileged instructions are decoded")
struct DecoderTests {
    @Test("with operand and length, whatever follows", arguments: cases)
    func decodes(_ it: DecoderCase) {
        #expect(Decoder.decode(CodeBytes(it.bytes)) == Instruction(operation: it.operation, length: it.bytes.count))
        let more = CodeBytes(it.bytes + [0x90, 0x0f, 0xff])
        #expect(Decoder.decode(more)?.length == it.bytes.count)
    }

    @Test("but not when bytes are missing", arguments: cases)
    func needsAllBytes(_ it: DecoderCase) {
        for count in 0..<it.bytes.count {
            #expect(Decoder.decode(CodeBytes(it.bytes.prefix(count))) == nil)
        }
    }

    @Test(
        "and others are not",
        arguments: [
            [0x90], [0x0f, 0x0b], [0x0f, 0x05], [0xcc], [0xc3], [0xcf], [0xf0, 0x0f, 0x01, 0x17],  // lock lgdt
            // CS, CR1, CR5, DR8
            [0x8e, 0xc8], [0x8e, 0xf0], [0x0f, 0x20, 0xc8], [0x0f, 0x22, 0xe8], [0x44, 0x0f, 0x21, 0xc0],
            [0x66, 0xcb], [0x0f, 0x01, 0xc1], [0x0f, 0x01, 0xca], [0xff, 0xe8], [0xff, 0x20], [0x0f, 0x33],
            [0x0f, 0x38, 0x82, 0x01], [0x0f, 0x00, 0xf0], [0x48, 0x8b, 0x00], [0x0f, 0x01, 0xd7],  // lgdt of a register
        ] as [[UInt8]])
    func refuses(_ bytes: [UInt8]) {
        #expect(Decoder.decode(CodeBytes(bytes)) == nil)
    }

    @Test("none is longer than 15 bytes")
    func limit() {
        let prefixes = [UInt8](repeating: 0x66, count: 14)
        #expect(Decoder.decode(CodeBytes(prefixes + [0xf4]))?.length == 15)
        #expect(Decoder.decode(CodeBytes(prefixes + [0x66, 0xf4])) == nil)
    }
}
