// The registers that a debugger knows, in the order of its numbers, for 64 and for 32 bits.
//
// Names, order and sizes are gdb's (GDB manual, G.5.5, i386 features); lldb takes the same. Read next: TargetDescription.swift.

/// One register.
struct Register: Equatable {
    /// Where its value is.
    enum Source: Equatable {
        /// By its number in an instruction.
        case general(UInt8)
        case instructionPointer
        case flags
        case segment(Int)
        /// x87's stack, and its eight control registers.
        case stack(Int)
        case x87(Int)
        case vector(Int)
        case vectorControl
        case vectorHigh(Int)
        /// FS and GS.
        case base(Int)
        /// CR0, CR2, CR3, CR4, EFER.
        case control(Int)
    }

    let name: String
    let bits: Int
    let type: String
    let feature: String
    let source: Source
}

struct RegisterTable {
    let is64Bit: Bool
    let registers: [Register]

    init(is64Bit: Bool, hasAVX: Bool) {
        self.is64Bit = is64Bit
        var list: [Register] = []
        func add(_ name: String, _ bits: Int, _ type: String, _ feature: String, _ source: Register.Source) {
            list.append(Register(name: name, bits: bits, type: type, feature: feature, source: source))
        }
        let (core, word) = ("org.gnu.gdb.i386.core", is64Bit ? 64 : 32)
        for (name, number) in Self.general(is64Bit) {
            let isPointer = ["rbp", "rsp", "ebp", "esp"].contains(name)
            add(name, word, isPointer ? "data_ptr" : "int\(word)", core, .general(number))
        }
        add(is64Bit ? "rip" : "eip", word, "code_ptr", core, .instructionPointer)
        add("eflags", 32, "int32", core, .flags)
        for (number, name) in Self.segments.enumerated() { add(name, 32, "int32", core, .segment(number)) }
        for number in 0..<8 { add("st\(number)", 80, "i387_ext", core, .stack(number)) }
        for (number, name) in Self.x87.enumerated() { add(name, 32, "int", core, .x87(number)) }
        let count = is64Bit ? 16 : 8
        for number in 0..<count { add("xmm\(number)", 128, "vec128", "org.gnu.gdb.i386.sse", .vector(number)) }
        add("mxcsr", 32, "int", "org.gnu.gdb.i386.sse", .vectorControl)
        if hasAVX {
            for number in 0..<count {
                add("ymm\(number)h", 128, "uint128", "org.gnu.gdb.i386.avx", .vectorHigh(number))
            }
        }
        if is64Bit {
            for (number, name) in ["fs_base", "gs_base"].enumerated() {
                add(name, 64, "int64", "org.gnu.gdb.i386.segments", .base(number))
            }
        }
        for (number, name) in ["cr0", "cr2", "cr3", "cr4", "efer"].enumerated() {
            add(name, 64, "int64", "org.swiftlet.control", .control(number))
        }
        registers = list
    }

    private static func general(_ is64Bit: Bool) -> [(String, UInt8)] {
        if !is64Bit {
            return zip(["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"], 0...7).map { ($0, $1) }
        }
        let names = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"]
        return Array(zip(names, [0, 3, 1, 2, 6, 7, 5, 4] as [UInt8])) + (8...15).map { ("r\($0)", $0) }
    }

    private static let segments = ["cs", "ss", "ds", "es", "fs", "gs"]
    private static let x87 = ["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"]
}
